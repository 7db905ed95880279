"""Rules about what the asker wants: an action, something of their own, something new, or the thread taken up again."""

from __future__ import annotations

from farthing.levers.recall.rules import ASKED, DATE, GENERAL, HAIL, NEXT, PERIOD, WANT, Rules

ACTION: Rules = (
    (
        """
            set turn switch dim brighten lower raise increase decrease reduce mute unmute silence pause resume stop
            start skip play replay shuffle repeat rewind continue adjust whisper power clean vacuum sweep mop brew
            boil book reserve order buy purchase cancel confirm schedule reschedule remind wake snooze send email
            mail text message tweet post reply respond forward share call dial phone ring ping notify alert contact
            add remove delete erase clear put append insert save store record note mark remember forget transfer pay
            deposit withdraw freeze block unblock lock unlock activate deactivate enable disable open close shut
            launch run load sync connect pair disconnect download upload install rename change reset request fetch
            submit subscribe unsubscribe bring grab throw tune flip roll toss begin speak rate complain place slow
            go keep use take
        """,
        rf"{ASKED}<>\b(?! (?:is|are|was|does|do|did|means?|vs|versus|of|not|has|have|seems?)\b)",
    ),
    ("make", rf"{ASKED}make (?:an?|me|sure|the|my|it)\b"),
    (
        "create",
        (
            rf"{ASKED}create (?:an?|new|my|the) (?:\w+ )?(?:list|event|reminder|alarm|appointment|meeting|playlist"
            r"|note)"
        ),
    ),
    (
        "get find",
        (
            rf"{ASKED}<> (?:me )?(?:an? |my )(?:\w+ )?(?:phone|taxi|cab|uber|ride|tickets?|table|room|flight"
            r"|car)\b"
        ),
    ),
    ("take rid", rf"{ASKED}(?:take note of|get rid of)\b"),
    ("read", rf"{ASKED}read (?:to )?me\b"),
    ("pick", rf"{ASKED}pick up\b"),
    (
        """
            play hear listen turn switch set book schedule remind mute dim send call text email tweet add hail wake
            reply vacuum clean start resume continue
        """,
        rf"^\W*{HAIL}{WANT} <>\b",
    ),
    ("want need like", r"\bi (?:want|need|would like|'d like) you to\b|\bi'd like you to\b"),
    (
        """
            light lights lamp volume alarm alarms playlist playlists podcast podcasts radio audiobook audiobooks
            taxi cab uber lyft thermostat vacuum roomba speaker speakers reminder reminders tweet plug socket
            brightness coffee song songs music album ticket tickets reservation reservations appointment
            appointments meeting meetings calendar shopping grocery
        """,
        (
            rf"^\W*{HAIL}{WANT} (?:an?|some|the|my)? ?(?:\w+ ){{0,3}}<>\b"
            r"|^(?!(?:is|are|was|were|does|do|did|can|could|should|when|where|explain|describe|tell|show|my|count"
            r"|name)\b"
            r"|.*\b(?:which|whose|what|who|how|why)\b)(?:\S+ ){0,8}<>\b(?: \S+){0,8}$"
        ),
    ),
    (
        "please",
        (r"^please (?!tell|explain|help|describe|list|give|show|what|how|why|advise|clarify|provide|assist|i )"),
    ),
    ("remind wake notify text", r"\b<> me\b"),
    ("let", r"\blet me know (?:when|if)\b"),
)
"""It wants something done: an answer from the cache would say that it was."""

PERSONAL: Rules = (
    (
        """
            balance balances calendar schedule agenda itinerary alarm alarms reminder reminders email emails e mail
            mails inbox message messages voicemail voicemails text texts notification notifications contact contacts
            list lists todo todos task tasks appointment appointments meeting meetings event events order orders
            takeaway delivery package parcel playlist playlists tweet tweets feed facebook twitter spending expense
            expenses bill bills transaction transactions paycheck paychecks payday paid salary checking savings due
            owe debt vacation pto leave point points mile miles reward rewards insurance subscription password
            birthday location application reservation reservations booking bookings flight flights trip trips ticket
            tickets taxes income food pizza routing credit
        """,
        (
            rf"^{GENERAL}.{{0,40}}\b(?:what|what's|which|when|when's|where|where's|who|who's|how|do i|did i|have i"
            r"|am i|was i|is|are|any|has|have|did"
            r"|does|show|check|read|list|tell|give|see|look|view|display|find|get|pull|open|let me|i need"
            r"|i want)\b"
            r".{0,40}\b(?:my|our)\b(?: \w+){0,2} <>\b"
        ),
    ),
    (
        """
            alarm alarms reminder reminders email emails mail mails message messages tweet tweets notification
            notifications appointment appointments meeting meetings voicemail voicemails contact contacts list lists
            calendar mentions takeaway
        """,
        (
            r"\b(?:any|new|unread|recent|last|which|what|check|read|show|have|there|list"
            r"|describe) (?:\w+ ){0,2}<>\b(?<!\ba list)"
            r"|\b(?:on|in|from) my (?:\w+ )?<>\b"
        ),
    ),
    (
        "have had owe spend spent earn used paid scheduled missed due left",
        r"\b(?:do|did|have|am|was|when|what|how much|how many)\b.{0,12} i (?:get )?<>\b(?! to\b)",
    ),
    ("my our", r"^.{0,15}\bwhat(?:'s|s| is| are| was) <>\b"),
    (
        f"today tonight tomorrow yesterday {NEXT.replace('|', ' ')} {DATE.replace('|', ' ')}",
        (
            rf"^{GENERAL}(?:what|when|who|where|how|which|am|did|do|have|is|are|was)\b(?=.*\b(?:i|my|me)\b)"
            rf".*\b(?:today|tonight|tomorrow|yesterday|{DATE}|(?:{NEXT}) (?:{PERIOD}))\b"
        ),
    ),
    (
        "post posts update updates feed snap snaps facebook twitter instagram media",
        r"\b(?:new|latest|recent|popular|trending|any|my|\w+'s) (?:\w+ )?<>\b",
    ),
    (
        "order food delivery package parcel pizza",
        r"\b(?:where is|where's|status of|track|has) (?:my|the) (?:\w+ )?<>\b|\bmy (?:\w+ )?order\b",
    ),
    (
        "deliver delivery takeaway takeout away out",
        r"^(?!.*\bhow long\b).*\b(?:do|does|can|will)\b.{0,30}\b(?:deliver|delivery|take ?away|take ?out)\b",
    ),
    ("who name know", r"\bwho am i\b|\bmy name\b|\bdo you know (?:me|my|who i)\b"),
    ("like love enjoy hate dislike", r"^i (?:really |also |do )?<> "),
    (
        "phone number email e mail address contact birthday mobile",
        (
            r"\b(?:phone|phone number|e-?mail|contact|birthday)(?: number| info\w*| details?| address)? (?:of"
            r"|for) (?!an?\b|the\b|help\b|support\b|more\b)\w+"
            r"|\b(?:\w+'s|his|her) (?:\w+ )?<>\b"
        ),
    ),
)
"""Only the asker's own data can tell."""

CREATIVE: Rules = (
    (
        "joke jokes riddle riddles pun puns poem poems facts fact",
        (
            r"\b(?:tell|give|share|say|know|hear|need|want|another|find|what is a|good|funny)\b.{0,25}\b(?:jokes?"
            r"|riddles?|puns?|poems?|fun facts?)\b"
        ),
    ),
    ("another", r"\banother (?:one|example|idea|version|name|story|way|option)\b"),
    (
        "random surprise laugh something",
        r"\brandom\b|\bsurprise me\b|\bsomething (?:else|funny|new|fun)\b|\bmake me laugh\b",
    ),
    (
        "coin heads dice die",
        r"\b(?:flip|toss) a coin\b|\bheads or tails\b|\b(?:roll|throw) (?:\w+ ){0,3}(?:dice|die)\b",
    ),
)
"""Another one each time, please."""

_PRONOUN = r"(?:it|its|they|them|their|he|him|his|she|her)"

_EMPTY_IT = (
    r"(?!'| (?:like|not|is|are|was|be|possible|safe|ok|okay|true|bad|good|better|normal|legal|worth"
    r"|necessary|hard|easy|too|wrong|right"
    r"|takes?|took|costs?|mean to|feel|an?|any|rain|snow|important|acceptable|advisable)\b)"
)

NEEDS_CONTEXT: Rules = (
    (
        "it its they them their he him his she her",
        (
            r"^(?:\S+ )?(?:is|are|was|were|'s|does|do|did|can|could|will|would|has|have|should|how|why|what|where"
            r"|when|who|about) "
            rf"{_PRONOUN}\b{_EMPTY_IT}(?!.{{50}})"
        ),
    ),
    (
        "it they them those these this that him her",
        (
            r"^(?!.{90})(?!(?:.*\b(?:my|i|your|when|if)\b)|.*[.!?;,] ).{0,70}\b(?:for|with|about|of|to|on|in|from"
            r"|against|without|like|do|does|did|have|use"
            r"|cause|prevent|treat|find|between|than) <>\W*$"
        ),
    ),
    (
        "you your mentioned",
        (
            r"\byou (?:said|mentioned|just)\b|\bmentioned (?:above|earlier|before)\b|\byour (?:last"
            r"|previous) (?:answer|reply|message)\b"
        ),
    ),
    ("one", r"\bthe (?:first|second|third|last|other|former|latter) one\b"),
)
"""It leans on what was said before."""
