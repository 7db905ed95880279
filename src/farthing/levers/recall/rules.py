"""Plain English rules: what a question's own words say about whether its answer may be given again.

A rule is a handful of words and a pattern around them, ``<>`` standing for any of the words; without a pattern the
words alone decide. Only the rules of words that occur are looked at, so a question costs some microseconds.

Written for questions as people type or dictate them, over their lower-case text. They err towards refusing: a refusal
costs one call, a wrong answer costs trust. ``benchmarks/cache_gate.py`` measures them.
"""

from __future__ import annotations

RULES_VERSION = 1
"""Raised whenever a rule begins to refuse more: it is part of every key, so what was let in before is not found."""

Rules = tuple[tuple[str, str], ...]
"""Words, separated by spaces; a pattern."""

_HAIL = (
    r"(?:(?:hey|hi|hello|ok|okay|please|pls|kindly|just|now|then|yes|let's|lets|let us|go ahead and"
    r"),? )*"
)
_YOU = r"(?:(?:can|could|would|will) (?:you|u) (?:please |kindly |just )*)?"
_ASKED = rf"^\W*(?:\w+ please,? )?{_HAIL}{_YOU}{_HAIL}"
_WANT = r"(?:i|we)(?:'d| would|'ll| will| really)? (?:want|need|like|love|wanna|have)(?: you)?(?: to)?"
_GENERAL = (
    r"(?!.*(?:\bnot\b|n't\b|\bwhy\b|\bcannot\b|\bwrong\b|\bif\b|\bhow (?:do|can|to|long|come)\b"
    r"|\b(?:can|do|should|must) i (?!have\b)))"
)
"""Not a question that is answered alike for everyone: why, how to, may I, what if, it does not work."""
_PERIOD = (
    "minutes? hours? days? nights? mornings? afternoons? evenings? weeks? weekend months? quarters? years? seasons?"
).replace(" ", "|")
_DATE = (
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|june|july"
    "|august|september"
    "|october|november|december"
)
_MONEY = (
    "dollars?|usd|euros?|eur|pounds?|gbp|sterling|yen|yuan|rmb|rupees?|rupies|inr|pesos?|francs?|rubles?"
    "|won|bitcoins?"
    "|canadian|australian|american|us"
)
_NOW = "today|tonight|tomorrow|yesterday|now|right now|outside|this week|this weekend"
_NEXT = "next|last|past|coming|previous|this"

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
        rf"{_ASKED}<>\b(?! (?:is|are|was|does|do|did|means?|vs|versus|of|not|has|have|seems?)\b)",
    ),
    ("make", rf"{_ASKED}make (?:an?|me|sure|the|my|it)\b"),
    (
        "create",
        (
            rf"{_ASKED}create (?:an?|new|my|the) (?:\w+ )?(?:list|event|reminder|alarm|appointment|meeting|playlist"
            r"|note)"
        ),
    ),
    (
        "get find",
        (
            rf"{_ASKED}<> (?:me )?(?:an? |my )(?:\w+ )?(?:phone|taxi|cab|uber|ride|tickets?|table|room|flight"
            r"|car)\b"
        ),
    ),
    ("take rid", rf"{_ASKED}(?:take note of|get rid of)\b"),
    ("read", rf"{_ASKED}read (?:to )?me\b"),
    ("pick", rf"{_ASKED}pick up\b"),
    (
        """
            play hear listen turn switch set book schedule remind mute dim send call text email tweet add hail wake
            reply vacuum clean start resume continue
        """,
        rf"^\W*{_HAIL}{_WANT} <>\b",
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
            rf"^\W*{_HAIL}{_WANT} (?:an?|some|the|my)? ?(?:\w+ ){{0,3}}<>\b"
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

LIVE_DATA: Rules = (
    ("weather forecast humidity umbrella raincoat sunscreen news headline headlines breaking", ""),
    (
        """
            rain rains raining rainy snow snows snowing snowy sunny cloudy windy storm storms stormy freezing humid
            foggy hail
        """,
        r"\b(?:will|is|'s|going to|gonna|do i need|should i|chances? of|expect|how|any)\b.{0,25}\b<>\b|^<>\b",
    ),
    (
        "cold hot warm cool",
        rf"\b(?:how|is it|be|so|this|seems)\b.{{0,8}} <>\b(?:$|.{{0,6}}\b(?:out|in|at|on|it|is|{_NOW})\b)",
    ),
    (
        "temperature",
        (
            r"\b(?:what(?:'s| is)|how) the temperature\b|\btemperature\b.{0,8}\b(?:in|at|on|going|like|be"
            rf"|{_NOW})\b"
        ),
    ),
    ("traffic", r"\btraffic\b(?! (?:light|sign|signal|ticket|cone|law|rule))"),
    ("rush commute road", r"\brush hour\b|\bcommute\b|\broad (?:closures?|conditions?|works?)\b"),
    (
        "stock stocks share shares",
        (
            r"\b<>\b.{0,12}\b(?:price|value|worth|doing|trading|cost|close|of)\b"
            r"|\bhow (?:is|are|'s|much (?:is|are|does))\b.{0,30}\b<>\b"
        ),
    ),
    (
        "price value worth cost prices",
        r"\b(?:what(?:'s|s| is)?|current|tell me|list|show|give)\b.{0,20}\b<> of\b|\bstock <>\b",
    ),
    ("dow nasdaq", ""),
    (
        _MONEY.replace("|us", "").replace("s?", " ").replace("|", " ")
        + " dollars euros pounds rupees pesos francs bitcoins",
        (
            rf"\b(?:{_MONEY})\b.{{0,25}}\b(?:to|in|into|for|vs|versus|against|is|are|equals?|make|get|per|and"
            r"|with)\b.{0,20}"
            rf"\b(?:{_MONEY})\b|\b(?:rate|worth|value|convert|exchange|conversion)\b.{{0,40}}\b<>\b.*\b(?:to|in|for"
            r"|and|of)\b"
        ),
    ),
    (
        "rate rates",
        (
            r"\b(?:currency|dollar|euro|pound|exchange|conversion) <> (?:of|for|between|from|to|in|today|with)\b"
            r"|\b(?:what|what's|show|new|tell)\b.{0,30}\b(?:exchange|currency|conversion) <>\b"
        ),
    ),
    (
        "what whats",
        (
            r"\bwhat(?:'s| is|s)? (?:happening|trending|up with|going on (?:in|at|today))\b|\bwhat happened (?:in"
            r"|at|on|last)\b"
        ),
    ),
    ("keep updates", r"\bkeep (?:me|tabs)\b|\bany updates\b"),
    ("score standings", r"\b(?:what|who)\b.{0,20}\bscore\b|\bstandings\b"),
    ("win winning ahead leading playing", r"^did .{0,30} win\b|\bwho(?:'s| is) <>\b"),
    (
        "time date day",
        (
            r"\btime is it\b|\b(?:what|current|exact|local|right|tell me the|tell the) <>\b|\bwhat(?:'s"
            r"| is)? the <>\b|\b<> and time\b"
            r"|\bday of the week\b|\btime in\b|\bwhich (?:day|date) "
        ),
    ),
    ("until till before left", r"\bhow (?:long|many \w+) <>\b"),
    (
        "near nearby nearest closest close around here town location",
        (
            r"\bnear (?:me|by|here|us|my)\b|\b(?:nearby|nearest|closest)\b|\bclose (?:by|to)\b|\baround (?:here"
            r"|town|me)\b|\bin town\b"
            r"|\bmy (?:current )?location\b|\bfrom here\b"
        ),
    ),
    ("area city neighborhood neighbourhood region", r"\bin (?:my|this|our) <>\b"),
    ("where", r"\bwhere (?:am i|i(?:'m| am)|im)\b"),
    (
        "direction directions route distance far miles drive travel way",
        (
            r"\b(?:directions?|route|distance|far|miles|drive|travel time|the (?:fastest|quickest"
            r"|shortest) way) (?:to|from|between|is)\b"
        ),
    ),
    (
        "train trains bus buses metro subway ferry flight flights plane tram",
        (
            r"\b<>\b.{0,40}\b(?:leav|depart|arriv|schedul|tim|next|when|status|delay|late|to|from|go|board|land"
            r"|ticket|available)"
            r"|\b(?:when|what time|next|arriv\w*|depart\w*|schedule|time)\b.{0,40}\b<>\b"
        ),
    ),
    ("arrives arrive", r"\b<> (?:at|in)\b"),
    (
        "movie movies film films show shows concert concerts band bands showtimes",
        (r"\b<>\b.{0,30}\b(?:in (?:the )?theat|cinema|playing|showing|now|tonight|near|this week)|\bshowtimes\b"),
    ),
    (
        "event events concert concerts",
        (
            r"\b<> (?:in|on|at|around|near|for|this|today|tonight|happening)\b|\b(?:any|what|list|local|upcoming"
            r"|find)\b.{0,20}\b<>\b"
        ),
    ),
    (
        "open opens close closes opening business",
        (
            r"\b(?:is|are|when|what time)\b.{0,40}\b<>(?: (?:now|today|late|until|till|on|at|right)\b|\W*$)"
            r"|\b<> hours\b"
        ),
    ),
    (
        """
            restaurant restaurants bar bars pub pubs cafe cafes hotel hotels shop shops store stores mall malls club
            clubs museum museums park parks pharmacy supermarket supermarkets place places theater theaters theatre
            theatres cinema cinemas pizza
        """,
        (
            r"\b(?:recommend|suggest|find|good|best|top|list|where|popular|cheap|any)\b.{0,40}\b<>\b.{0,20}\b(?:in"
            r"|at|on|around|near|open|for)\b"
            r"|\blocal <>\b"
        ),
    ),
    ("do", r"\b(?:things to|fun to|what (?:to|can i)|is there to) do in\b"),
    ("busy wait line queue", r"\bhow busy\b|\bhow long.{0,20}\b<>\b|\bwaiting? (?:time|list)\b"),
    ("travel safe", r"\btravel (?:alert|warning|advisor)|\bsafe to (?:travel|visit|go)\b"),
    ("happens happening happened", r"\bif (?:an? )?\w+ happens\b"),
)
"""The world answers, and its answer changes by the hour or with the place."""

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
            rf"^{_GENERAL}.{{0,40}}\b(?:what|what's|which|when|when's|where|where's|who|who's|how|do i|did i|have i"
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
            r"|describe) (?:\w+ ){0,2}<>\b"
            r"|\b(?:on|in|from) my (?:\w+ )?<>\b"
        ),
    ),
    (
        "have had owe spend spent earn used paid scheduled missed due left",
        r"\b(?:do|did|have|am|was|when|what|how much|how many)\b.{0,12} i (?:get )?<>\b(?! to\b)",
    ),
    ("my our", r"^.{0,15}\bwhat(?:'s|s| is| are| was) <>\b"),
    (
        f"today tonight tomorrow yesterday {_NEXT.replace('|', ' ')} {_DATE.replace('|', ' ')}",
        (
            rf"^{_GENERAL}(?:what|when|who|where|how|which|am|did|do|have|is|are|was)\b(?=.*\b(?:i|my|me)\b)"
            rf".*\b(?:today|tonight|tomorrow|yesterday|{_DATE}|(?:{_NEXT}) (?:{_PERIOD}))\b"
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
        r"\b(?:do|does|can|will)\b.{0,30}\b(?:deliver|delivery|take ?away|take ?out)\b",
    ),
    ("who name know", r"\bwho am i\b|\bmy name\b|\bdo you know (?:me|my|who i)\b"),
    ("like love enjoy hate dislike", r"^i (?:really |also |do )?<> "),
    (
        "phone number email e mail address contact birthday mobile",
        (
            r"\b(?:phone|phone number|e-?mail|contact|birthday)(?: number| info\w*| details?| address)? (?:of"
            r"|for) (?!an?\b|the\b)\w+"
            r"|\b(?:\w+'s|his|her) (?:\w+ )?<>\b"
        ),
    ),
)
"""Only the asker's own data can tell."""

TIMELY: Rules = (
    (
        "latest newest upcoming nowadays currently present today yesterday tomorrow tonight now ongoing anymore still "
        + _DATE.replace("|", " "),
        "",
    ),
    ("recent", r"\bmost recent\b"),
    ("these so moment", r"\bthese days\b|\bso far\b|\bat the moment\b"),
    ("current", r"\bcurrent\b(?! account)"),
    (
        _NEXT.replace("|", " "),
        (
            rf"\b<> (?:\w+ )?(?:{_PERIOD}|time|one|game|match|election|episode|movie|book|holiday|eclipse)\b"
            r"|\blast (?:won|win|winner|champion|\w+ to)\b"
        ),
    ),
    (
        """
            president minister secretary chancellor governor mayor king queen pope monarch ceo cfo chairman
            chairperson chief head director leader speaker senator senators representative representatives judge
            justice justices ambassador commissioner captain coach manager owner quarterback champion champions
            holder host treasurer premier commander principal dean general winner
        """,
        r"\b(?:who|who's|whos|name|list of)\b.{0,40}\b<>\b",
    ),
    (
        "won win wins lost scored beat host hosts hosted own owns run runs lead leads coaches holds got",
        r"\b(?:who|which \w+|what (?:team|country)) (?:has |have |had )?<>\b",
    ),
    (
        """
            most biggest largest highest longest tallest richest wealthiest fastest oldest youngest smallest lowest
            greatest busiest poorest fewest least top
        """,
        (
            r"\bwho(?:'s| is| are| has| have)? (?:the )?(?:\w+ )?<>\b|^(?:the )?(?:\d+ )?<> \w+"
            r"|\b(?:which|what|where|how|list|name|whose)\b.{0,60}\b<>\b.{0,60}\b(?:in|of|ever|by|for|has|history"
            r"|world|record|won)\b"
        ),
    ),
    ("record", r"\brecord\b.{0,40}\b(?:for|of|in|held|holder|most)\b"),
    ("time career lifetime history", r"\ball[- ]time\b|\b(?:career|lifetime)\b|\bin (?:the )?history\b"),
    ("old age", r"\bhow old (?:is|are|was)\b|\bage of\b"),
    ("worth salary population capita", r"\bnet worth\b|\bsalary of\b|\bpopulation (?:of|in)\b|\bper capita\b"),
    ("gdp export exports rank ranks ranked ranking", ""),
    (
        "wage unemployment inflation interest",
        r"\b(?:minimum wage|unemployment|inflation|interest) (?:rates? )?(?:in|of|for)\b",
    ),
    (
        "many",
        (
            r"\bhow many (?:times|games|(?:\w+ ){1,2}(?:has|have|does)"
            r"|(?:\w+ )?(?:seasons?|episodes?|titles|championships?|medals|seats|members|players))\b"
        ),
    ),
    (
        "when",
        (
            r"\bwhen (?:is|does|do|will|are|'s)\b|\bwhen (?:did|was|were)\b.{0,50}\b(?:last|new|previous)\b"
            r"|\bwhen's\b"
        ),
    ),
    ("where", r"\bwhere (?:is|are|will|was|have) .{0,40}\b(?:held|hosted|playing|played|live)\b"),
    ("appointed elected named", r"\bhas been <>\b"),
    ("season episode series version album movie song", r"\bnew <>\b|\bversion of\b"),
    ("visa", r"\bvisa\b.*\b(?:citizens|travel)"),
)
"""Right today, wrong tomorrow."""

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
    r"|takes?|took|costs?|mean to|feel|an?|any|important|acceptable|advisable)\b)"
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

FRAGMENT = (
    r"\W*\S+(?: \S+)?\W*$"
    r"|\W*(?:why not|how so|how come|go on|go ahead|tell me more|what else|all of them"
    r"|thank you very much)\W*$"
    r"|\W*(?:and|but|or|also|so|then|yes|actually|instead|what about|how about|tell me more|more about"
    r"|which (?:one|of)|are there (?:any )?other"
    r"|any other|anything else|is that)\b(?!.{70})"
)
"""A word or two, or the second half of something: matched at the beginning."""

DATED = r"\b1[0-9]\d\d\b|\b20\d\d\b|\bfirst\b|\boriginal|\b(?:1[0-9]|20)\d0s\b|\bseason \w+ episode\b"
"""Words that fix a question in time: its answer is history."""
OWN_STORY = r"\b(?:i|i'm|i've|i'd|my|me|we|our)\b"
"""Someone tells what happened to them: ``today`` is then when it happened, not what is asked for."""
PAYLOAD = (
    r"\W{0,3}(?:please )?(?:classify|categori[sz]e|label|translate|summari[sz]e|extract|rewrite|rephrase"
    r"|paraphrase|proofread|correct|fix"
    r"|convert|detect|identify|analy[sz]e|edit|shorten|parse|format)\b[^\n]{0,200}?(?::\s|\n)"
)
"""An instruction, then the text it is about: what that text says is not asked of anyone."""
