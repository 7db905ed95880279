"""Plain English rules: what a question's own words say about whether its answer may be given again.

Written for questions as people type or dictate them, and read over their lower-case text. They err towards refusing: a
refusal costs one call, a wrong answer costs trust. ``benchmarks/cache_gate.py`` measures them.
"""

from __future__ import annotations

import re

RULES_VERSION = 1
"""Raised whenever a rule begins to refuse more: it is part of every key, so what was let in before is not found."""


def _words(text: str) -> str:
    """A pattern for any of the words; ``_`` stands for a space, an ending ``*`` for the inflections of a verb or noun."""
    words = (word.replace("_", " ") for word in text.split())
    return "(?:" + "|".join(f"{word[:-1]}(?:s|es|ed|d|ing)?" if word.endswith("*") else word for word in words) + ")"


_HAIL = r"^\W*(?:(?:hey|hi|hello|ok|okay|please|pls|kindly|just|now|then|yes|let's|lets|let us|go ahead and|\w+ please),? )*"
_YOU = r"(?:(?:can|could|would|will) (?:you|u) (?:please |kindly |just )*)?"
_SHOW = _words("""
    what what's whats which when when's where where's who who's how how's do_i did_i have_i am_i was_i is_there are_there is are
    any has have did does show check read list tell give see look view find get pull open let_me i_need i_want
""")
_NEGATED = r"(?!.*(?:\bnot\b|n't\b|\bwhy\b|\bcannot\b|\bwrong\b|\bif\b|\bhow (?:do|can|to|long|come)\b|\b(?:can|do|should|must) i (?!have\b)))"
_PERIOD = _words("minutes? hours? days? nights? mornings? afternoons? evenings? weeks? weekend months? quarters? years? seasons?")
_DATE = _words("""
    monday tuesday wednesday thursday friday saturday sunday january february march april june july august september
    october november december
""")
_MONEY = _words("""
    dollars? usd euros? eur pounds? gbp sterling yen yuan rmb rupees? rupies inr pesos? francs? rubles? won bitcoins?
    canadian australian american us
""")

_DO = _words("""
    set turn switch dim brighten lower raise increase decrease reduce mute unmute silence pause resume stop start skip play replay
    shuffle repeat rewind continue adjust whisper power clean vacuum sweep mop brew book reserve order buy purchase cancel confirm
    schedule reschedule remind wake snooze send email mail text message tweet post reply respond forward share call dial phone ring
    ping notify alert add remove delete erase clear put append insert save store record note mark remember forget transfer pay
    deposit withdraw freeze block unblock lock unlock activate deactivate enable disable open close shut launch run load sync
    connect pair disconnect download upload install rename request fetch submit subscribe unsubscribe bring grab throw tune flip
    roll toss begin speak rate take_note_of get_rid_of change reset place contact complain boil slow go take read_to read_me make_a make_me make_sure make_the create_a create_new create_an
    create_my get_me_a get_a find_me_a pick_up put_on keep use
""")
_WANT = r"(?:i|we)(?:'d| would|'ll| will| really)? (?:want|need|like|love|wanna|have)(?: you)?(?: to)?"
_ERRAND = _words("""
    play hear listen turn switch set book schedule remind mute dim send call text email tweet add hail wake reply vacuum clean
    start resume continue
""")
_GADGET = _words("""
    lights? lamp volume alarms? playlists? podcasts? radio audiobooks? taxi cab uber lyft thermostat vacuum roomba speakers?
    reminders? tweet plug socket wemo brightness coffee shopping_list grocery_list to_do_list todo_list songs? music album tickets?
    reservations? appointments? meetings? calendar
""")
_QUESTION = r"(?:who|what|why|how|when|where|which|whose|is|are|was|were|does|do|did|can|could|should|explain|describe|tell|show|my)\b"

_ACTION = (
    rf"{_HAIL}{_YOU}{_HAIL[1:]}{_DO}\b(?! (?:is|are|was|does|do|did|means?|vs|versus|of|not|has|have|seems?)\b)",
    rf"{_HAIL}{_WANT} {_ERRAND}\b|\bi (?:want|need|would like|'d like) you to\b",
    rf"{_HAIL}{_WANT} (?:an?|some|the|my)? ?(?:\w+ ){{0,3}}{_GADGET}\b",
    rf"^(?!{_QUESTION}|.*\b(?:which|whose|what|who|how|why)\b)(?:\S+ ){{0,8}}{_GADGET}\b(?: \S+){{0,8}}$",
    r"^please (?!tell|explain|help|describe|list|give|show|what|how|why|advise|clarify|let me know|assist|i )",
    r"\b(?:remind|wake|notify|text) me\b|\blet me know (?:when|if)\b",
)

_WEATHER = _words("rain* rainy snow* snowy sunny cloudy windy stormy storm* freezing humid foggy chilly hail")
_OUTSIDE = _words("outside out in at on it today tonight tomorrow now right going like be there")
_TRANSIT = _words("trains? bus buses metro subway ferry flights? plane tram")
_PLACES = _words("""
    restaurants? bars? pubs? cafes? hotels? shops? stores? malls? clubs? museums? parks? pharmacy pharmacies supermarkets?
    places? theaters? theatres? cinemas? gas_stations? pizza
""")

_LIVE_DATA = (
    r"\b(?:weather|forecast|humidity|umbrella|rain ?coat|sunscreen|air quality|news|headlines?|breaking|current events?)\b",
    rf"\b(?:will|is|'s|going to|gonna|do i need|should i|chances? of|expect|how|any)\b.{{0,25}}\b{_WEATHER}\b|^{_WEATHER}\b",
    rf"\b(?:how|is it|be|so|this)\b.{{0,8}} (?:cold|hot|warm|cool)\b.{{0,6}}\b{_OUTSIDE}\b|\btemperature\b.{{0,8}}\b{_OUTSIDE}\b",
    r"\btraffic\b(?! (?:light|sign|signal|ticket|cone|law|rule))|\brush hour\b|\bcommute\b|\broad (?:closures?|conditions?|works?)\b",
    r"\b(?:stock|share)s?\b.{0,12}\b(?:price|value|market|worth|doing|trading|cost|close)|\b(?:price|value|stock|worth|cost|shares?) of\b",
    r"\bhow (?:is|are|'s|much (?:is|are|does)|high is)\b.{0,30}\b(?:stocks?|shares?|nasdaq|dow)\b|\bdow jones\b|\bnasdaq\b|\bs ?& ?p\b",
    rf"\b{_MONEY}\b.{{0,25}}\b(?:to|in|into|for|vs|versus|against|is|are|equals?|make|get|per)\b.{{0,20}}\b{_MONEY}\b",
    rf"\b(?:rate|worth|value|convert|exchange|conversion)\b.{{0,40}}\b{_MONEY}\b.*\b(?:to|in|for|and|of)\b|\b(?:currency|dollar|euro|pound|exchange) rates? (?:of|for|between|from|to|in|today)\b",
    r"\bwhat(?:'s| is|s)? (?:happening|trending|up with|going on (?:in|at|today))\b|\bwhat happened (?:in|at|on|today|yesterday|last)\b|\bkeep (?:me|tabs)\b|\bany updates?\b",
    r"\b(?:what|what's|show|new|tell)\b.{0,30}\b(?:exchange|currency|conversion) rates?\b|\b(?:things to|fun to|what (?:to|can i)) do in\b",
    r"\b(?:what|who)\b.{0,20}\bscore\b|\bstandings\b|^did .{0,30} win\b|\bwho(?:'s| is) (?:winning|ahead|leading|playing)\b",
    r"\btime is it\b|\b(?:what|current|exact|local|right|tell me the) (?:time|date|day)\b|\bwhat(?:'s| is)? the (?:time|date|day)\b",
    r"\bday of the week\b|\btime in\b|\bhow (?:long|many \w+) (?:until|till|before|left)\b|\b(?:what|which) (?:day|date|year|month) \w+",
    r"\bnear(?:by)? (?:me|by|here|us|my)\b|\bnearby\b|\b(?:nearest|closest)\b|\bclose (?:by|to)\b|\baround (?:here|town|me)\b|\bwhere am i\b",
    rf"\bin (?:my|this|our) (?:area|city|town|neighbou?rhood|region)\b|\bin town\b|\bmy (?:current )?location\b|\bfrom here\b|\blocal {_PLACES}\b",
    r"\b(?:directions?|route|distance|far|miles|drive|travel time|the (?:fastest|quickest|shortest) way) (?:to|from|between|is)\b",
    rf"\b{_TRANSIT}\b.{{0,40}}\b(?:leav|depart|arriv|schedul|tim|next|when|status|delay|late|to|from|go|board|land|ticket|available)",
    rf"\b(?:when|what time|next|arriv\w*|depart\w*|schedule|time)\b.{{0,40}}\b{_TRANSIT}\b",
    r"\b(?:movies?|films?|shows?|concerts?|bands?)\b.{0,30}\b(?:in (?:the )?theat|cinema|playing|showing|now|tonight|near|this week)|\bshow ?times?\b",
    r"\bevents? (?:in|on|at|around|near|for|this|today|tonight|happening)\b|\b(?:any|what|list|local|upcoming|find)\b.{0,20}\b(?:events?|concerts?)\b",
    r"\b(?:is|are|when|what time)\b.{0,40}\b(?:open|close|opens|closes)\b(?: (?:now|today|late|until|till|on|at|right)|\W*$)|\b(?:opening|business) hours\b",
    rf"\b(?:recommend|suggest|find|good|best|top|list|where|popular|cheap|any)\b.{{0,40}}\b{_PLACES}\b.{{0,20}}\b(?:in|at|on|around|near|open|for)\b",
    r"\barrives? (?:at|in)\b|\bwhere i(?:'m| am)\b|\bwhere im\b|\bif (?:an? )?\w+ happens\b|\bhow busy\b|\bhow long.{0,20}\b(?:wait|line|queue)\b|\bwaiting? (?:time|list)\b|\btravel (?:alert|warning|advisor)|\bsafe to (?:travel|visit|go)\b",
)

_OWN = _words("""
    balances? calendar schedule agenda itinerary alarms? reminders? e?-?mails? inbox messages? mails? voicemails? texts? notifications?
    contacts? lists? to-?dos? tasks? appointments? meetings? events? orders? takeaway take_?out delivery package parcel playlists?
    tweets? feed facebook twitter spending expenses? bills? transactions? paychecks? payday paid salary checking savings account_number
    account_balance routing_number credit_score credit_limit due owe debt vacation pto days_off leave points? miles rewards?
    insurance subscription password birthday name address phone location application reservations? bookings? flights? trips?
    tickets? taxes income bank_account food pizza payments? card_expire
""")
_WHEN = rf"(?:today|tonight|tomorrow|yesterday|(?:this|next|last) (?:{_PERIOD}|{_DATE})|{_DATE})"
_THINGS = _words("""
    alarms? reminders? e?-?mails? messages? mails? tweets? notifications? appointments? meetings? voicemails? contacts? lists? calendar
    mentions takeaway take_?out
""")

_PERSONAL = (
    rf"^{_NEGATED}.{{0,40}}\b{_SHOW}\b.{{0,40}}\b(?:my|our)\b(?: \w+){{0,2}} {_OWN}\b",
    rf"\b(?:any|new|unread|recent|last|which|what|check|read|show|have|there|list|describe) (?:\w+ ){{0,2}}{_THINGS}\b",
    r"\b(?:do|did|have|am|was|when|what|how much|how many)\b.{0,12} i (?:have|had|owe|spen[dt]|earn|used|paid|scheduled|missed|get paid|due|left)\b(?! to\b)",
    r"^.{0,15}\bwhat(?:'s|s| is| are| was) (?:my|our)\b",
    rf"^{_NEGATED}(?:what|when|who|where|how|which|am|did|do|have|is|are|was)\b(?=.*\b(?:i|my|me)\b).*\b{_WHEN}\b",
    r"\b(?:new|latest|recent|popular|trending|any|my|\w+'s) (?:\w+ )?(?:posts?|updates?|feed|snaps?|facebook|twitter|instagram|social media)\b",
    rf"\b(?:on|in|from) my (?:\w+ )?{_THINGS}\b|\b(?:where is|where's|status of|track|has) (?:my|the) (?:\w+ )?(?:order|food|delivery|package|parcel|pizza)\b",
    r"\b(?:do|does|can|will)\b.{0,30}\b(?:deliver|delivery|take ?away|take ?out)\b|\bmy (?:\w+ )?order\b",
    r"\bwho am i\b|\bmy name\b|\bdo you know (?:me|my|who i)\b|^i (?:really |also |do )?(?:like|love|enjoy|hate|dislike) ",
    r"\b(?:phone|phone number|e-?mail|mail id|contact|birthday)(?: number| info\w*| details?| address)? (?:of|for) (?!a\b|the\b|an\b)\w+",
    r"\b(?:\w+'s|his|her) (?:\w+ )?(?:phone|number|e-?mail|address|contact|birthday|mobile)\b",
)

_ROLE = _words("""
    president prime_minister minister secretary chancellor governor mayor king queen pope monarch ceo cfo chairman chairperson chief
    head director leader speaker senators? representatives? judge justices? ambassador commissioner captain coach manager owner
    quarterback champions? holder host attorney_general treasurer premier commander principal dean general winner
""")
_MOST = _words("""
    most biggest largest highest longest tallest richest wealthiest fastest oldest youngest smallest lowest greatest busiest
    poorest number_one fewest least top \\d+
""")

_TIMELY = (
    rf"\b(?:next|coming|this|last|past|previous) (?:\w+ )?(?:{_PERIOD}|{_DATE}|time|one|game|match|election|episode|movie|book|holiday|eclipse)\b",
    r"\b(?:latest|newest|most recent|upcoming|nowadays|these days|so far|at the moment|right now|currently|present|tomorrow|tonight)\b",
    rf"\b{_DATE}\b",
    r"\bcurrent\b(?! account)|\btoday\b|\byesterday\b|\bnow\b|\bongoing\b|\banymore\b|\bstill\b",
    rf"\b(?:who|who's|whos|name|list of)\b.{{0,40}}\b{_ROLE}\b",
    r"\b(?:who|which \w+|what (?:team|country)) (?:has |have |had )?(?:won|wins?|lost|scored|beat|hosts?|hosted|owns?|runs?|leads?|coaches|holds|got)\b",
    rf"\bwho(?:'s| is| are| has| have)? (?:the )?(?:\w+ )?{_MOST}\b",
    rf"\b(?:who|which|what|where|how|list|name|whose)\b.{{0,60}}\b{_MOST}\b.{{0,60}}\b(?:in|of|ever|by|for|has|history|world|record|won)\b|^{_MOST} \w+",
    r"\brecord\b.{0,40}\b(?:for|of|in|held|holder|most)\b|\ball[- ]time\b|\b(?:career|lifetime)\b|\bin (?:the )?history\b",
    r"\bhow old (?:is|are|was)\b|\bage of\b|\bnet worth\b|\bpopulation (?:of|in)\b|\bsalary of\b|\bper capita\b|\bgdp\b|\bexports?\b|\brank(?:s|ed|ing)?\b",
    r"\b(?:minimum wage|unemployment|inflation|interest) (?:rates? )?(?:in|of|for)\b",
    r"\bhow many (?:times|games|(?:\w+ ){1,2}(?:has|have|does)|(?:\w+ )?(?:seasons?|episodes?|titles|championships?|medals|seats|members|players))\b",
    r"\bwhen (?:is|does|do|will|are|'s)\b|\bwhen (?:did|was|were)\b.{0,50}\b(?:last|new|previous)\b|\bwhat is the date\b",
    r"\blast (?:won|win|winner|champion|\w+ to)\b|\bwhere (?:is|are|will|was|have) .{0,40}\b(?:held|hosted|playing|played|now|live)\b",
    r"\bhas been (?:appointed|elected|named)\b|\bnew (?:season|episode|series|version|album|movie|song)\b|\bversion of\b|\bvisa\b.*\b(?:citizens|travel)",
)

_CREATIVE = (
    r"\b(?:tell|give|share|say|know|hear|need|want|another|find|what is a|good|funny)\b.{0,25}\b(?:jokes?|riddles?|puns?|poems?|fun facts?)\b",
    r"\banother (?:one|example|idea|version|name|story|way|option)\b|\brandom\b|\bsurprise me\b|\bsomething (?:else|funny|new|fun)\b|\bmake me laugh\b",
    r"\b(?:flip|toss) a coin\b|\bheads or tails\b|\b(?:roll|throw) (?:\w+ ){0,3}(?:dice|die)\b",
)

_THEM = r"(?:it|its|they|them|their|he|him|his|she|her)"
_EMPTY_IT = r"(?!'| (?:like|not|is|are|was|be|possible|safe|ok|okay|true|bad|good|better|normal|legal|worth|necessary|hard|easy|too|wrong|right|take|takes|took|cost|costs|mean to|feel|a|an|any)\b)"

_CONTEXT = (
    r"^\W*(?:yes|yeah|no|nope|ok|okay|sure|thanks|thank you|more|again|next|why|why not|how|how so|how come|when|where|who|what|which|"
    r"go on|go ahead|continue|elaborate|explain|really|tell me more|what else|all of them)\W*$",
    r"^\W*(?:and|but|or|also|so|then|yes|actually|instead|what about|how about|tell me more|more about|"
    r"which (?:one|of)|are there (?:any )?other|any other|anything else|is that|the (?:first|second|third|last|other|former|latter) one)\b(?!.{70})",
    rf"^(?:\S+ )?(?:is|are|was|were|'s|does|do|did|can|could|will|would|has|have|should|how|why|what|where|when|who|about) {_THEM}\b{_EMPTY_IT}(?!.{{50}})",
    rf"^(?!.{{90}})(?!.*[.!?;,] ).{{0,70}}\b(?:for|with|about|of|to|on|in|from|against|without|like|do|does|did|have|use|cause|prevent|treat|find|between|than) "
    r"(?:it|they|them|those|these|this|that|him|her)\W*$",
    r"\b(?:you (?:said|mentioned|just)|mentioned (?:above|earlier|before)|your (?:last|previous) (?:answer|reply|message|point))\b",
    r"\bthe (?:first|second|third|last|other) one\b",
    r"^\W*\S+(?: \S+)?\W*$",
)


def _compile(parts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{part})" for part in parts))


CONTEXT = ("needs_context", _compile(_CONTEXT))
RULES = (
    ("action", _compile(_ACTION)),
    ("live_data", _compile(_LIVE_DATA)),
    ("personal", _compile(_PERSONAL)),
    ("creative", _compile(_CREATIVE)),
    CONTEXT,
)
TIMELY = _compile(_TIMELY)

DATED = re.compile(r"\b1[0-9]\d\d\b|\b20\d\d\b|\bfirst\b|\boriginal|\b(?:1[0-9]|20)\d0s\b|\bseason \w+ episode\b")
"""Words that fix a question in time: its answer is history."""
OWN_STORY = re.compile(r"\b(?:i|i'm|i've|i'd|my|me|we|our)\b")
"""Someone tells what happened to them: ``today`` is then when it happened, not what is asked for."""
PAYLOAD = re.compile(
    r"^\W*(?:please )?(?:classify|categori[sz]e|label|translate|summari[sz]e|extract|rewrite|rephrase|paraphrase|proofread|correct|"
    r"fix|convert|detect|identify|analy[sz]e|edit|shorten|parse|format)\b[^\n]{0,200}?(?::\s|\n)",
    re.IGNORECASE,
)
"""An instruction, then the text it is about: what that text says is not asked of anyone."""
