"""Rules about what changes in the world: by the hour (live data), or by the year (time-dependent)."""

from __future__ import annotations

from farthing.levers.recall.rules import DATE, GENERAL, NEXT, PERIOD, Rules

_MONEY = (
    "dollars?|usd|euros?|eur|pounds?|gbp|sterling|yen|yuan|rmb|rupees?|rupies|inr|pesos?|francs?|rubles?"
    "|won|bitcoins?"
    "|canadian|australian|american|us"
)

_NOW = "today|tonight|tomorrow|yesterday|now|right now|outside|this week|this weekend"

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
            rf"^{GENERAL}.*(?:\b(?:currency|dollar|euro|pound|exchange|conversion) <> (?:of|for|between|from|to|in"
            r"|today|with)\b|\b(?:what|what's|show|new|tell)\b.{0,30}\b(?:exchange|currency|conversion) <>\b)"
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
    ("do see", r"\b(?:things to|fun to|what (?:to|can i)|sights to|is there (?:for \w+ )?to) <> in\b"),
    ("busy wait line queue", r"\bhow busy\b|\bhow long.{0,20}\b<>\b|\bwaiting? (?:time|list)\b"),
    ("travel safe", r"\btravel (?:alert|warning|advisor)|\bsafe to (?:travel|visit|go)\b"),
    ("happens happening happened", r"\bif (?:an? )?\w+ happens\b"),
)
"""The world answers, and its answer changes by the hour or with the place."""

TIMELY: Rules = (
    (
        "latest newest upcoming nowadays currently present today yesterday tomorrow tonight now ongoing anymore still "
        + DATE.replace("|", " "),
        "",
    ),
    ("recent", r"\bmost recent\b"),
    ("these so moment", r"\bthese days\b|\bso far\b|\bat the moment\b"),
    ("current", r"\bcurrent\b(?! account)"),
    (
        NEXT.replace("|", " "),
        (
            rf"\b<> (?:\w+ )?(?:{PERIOD}|time|one|game|match|election|episode|movie|book|holiday|eclipse)\b"
            r"|\blast (?:won|win|winner|champion|\w+ to)\b"
        ),
    ),
    (
        """
            president presidents minister ministers secretary chancellor governor governors mayor king queen pope
            bishop monarch ceo cfo chairman chairperson chief head director leader leaders speaker senator senators
            representative representatives judge justice justices ambassador commissioner captain captains coach
            coaches manager owner quarterback qb mvp champion champions holder host treasurer premier commander
            principal dean general winner winners cast
        """,
        r"\b(?:who|who's|whos|which|name|list of)\b.{0,40}\b<>\b",
    ),
    (
        "won win wins lost scored beat host hosts hosted own owns run runs lead leads coaches holds got",
        r"\b(?:who|which \w+|what (?:team|country)) (?:has |have |had )?<>\b",
    ),
    (
        """
            biggest largest highest longest tallest richest wealthiest fastest oldest youngest smallest lowest
            busiest poorest fewest
        """,
        r"\b(?:what|which|who|where|list|name|whose)\b.{0,60}\b<>\b|^(?:the )?(?:\d+ )?<> \w+",
    ),
    (
        "most greatest least top",
        (
            r"^who\b.*\b<>\b|\bwho(?:'s| is| are| has| have)? (?:the )?(?:\w+ )?<>\b|^(?:the )?(?:\d+ )?<> \w+"
            r"|\b(?:which|what|where|how|list|name|whose)\b.{0,60}\b<>\b.{0,60}\b(?:in|of|ever|by|for|has|history"
            r"|world|record|won)\b"
        ),
    ),
    (
        "best worst safest cheapest hardest cleanest strongest leading",
        r"\b(?:what|which) (?:state|country|city|town|team|club|school|company|bank|airline)\b.{0,40}\b<>\b",
    ),
    ("record", r"\brecord\b.{0,40}\b(?:for|of|in|held|holder|most)\b"),
    ("time career lifetime history", r"\ball[- ]time\b|\b(?:career|lifetime)\b|\bin (?:the )?history\b"),
    ("old age", r"\bhow old (?:is|are|was)\b|\bage of\b"),
    ("worth salary capita", r"\bnet worth\b|\bsalary of\b|\bper capita\b"),
    ("population", r"\bpopulation(?: of| in|\W*$)"),
    ("nba nfl mlb nhl ncaa ipl epl fifa ufc playoffs superbowl", ""),
    (
        "bowl cup series championship championships league",
        r"\b(?:super|world|stanley|premier|champions|national)(?: \w+)? <>\b",
    ),
    ("percent percentage", r"\b(?:what|how many) <>\b"),
    (
        "movies films shows songs awards teams albums books titles",
        r"^(?:what|which|how many) (?:\w+ )?<> (?:has|have|did|does|do|is|are)\b",
    ),
    ("last", r"\bthe last (?!name\b|digits?\b|step\b|one\b)\w+"),
    ("make earn", r"\bhow much (?:does|do|did) (?!(?:it|i|you|we)\b).{0,40} <>\b"),
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
