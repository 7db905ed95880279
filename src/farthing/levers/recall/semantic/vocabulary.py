"""The words that the literal rules know, as plain lists: small, general English, in one place.

Lists are strings of words, groups are lines or parted by ``;``. ``reading`` takes the endings off where it needs stems.
"""

from __future__ import annotations

from typing import Final

DROPPED: Final = """
    a an the this that these those there here some any all every each both such
    i me my mine myself you your yours yourself we us our ours ourselves it its itself one ones oneself
    he him his himself she her hers herself they them their theirs themselves u ur
    someone somebody anyone anybody everyone everybody people person folks something anything thing things stuff
    be am is are was were been being im ive id youre its thats whats
    do does did doing done have has had having get gets getting got gotten
    can could will would shall should may might must need needs needed able ought
    of to in on at for by with as from into onto upon about than then so too also just only even very
    really actually exactly basically simply literally ever please pls kindly thanks thank hi hello hey dear
    and or but if whether nor yet both
    what which who whom whose when where why how
    like want wants wanted wish
    way ways method methods mean means tip tips step steps advice trick tricks suggestion suggestions procedure
    good best better great well proper properly right correct correctly easy easily easiest possible possibly
    tell explain describe give show know let say help anyhow anyway currently now
    kind kinds type types sort sorts example examples
    go going gonna make makes making made use uses using used take takes taking
    ca wo etc opinion think thought consider
"""
"""Says how something is asked, not what about."""

VAGUE: Final = """
    find look begin start other begin happen become come feel try keep put see part fact point case time
    idea information info detail details important main major real new different various certain specific
    popular common normal general several many much more most few little lot big small long short high
    usually generally often always still already again through during between among while within around
    back up out over place question answer guy reason cause
"""
"""Carries some of the meaning, and is often left out."""

NEGATIONS: Final = """
    not no never without nor neither none cannot nobody nothing nowhere hardly barely unable except excluding unless
    dont doesnt didnt isnt arent wasnt werent wont cant couldnt wouldnt shouldnt hasnt havent hadnt aint mustnt neednt
"""

SAME: Final = """
    quick fast rapid speedy; quickly fast; buy purchase; begin start commence; finish end complete; big large huge
    small little tiny; make create build; change modify alter; fix repair; reset renew; password passcode passwd
    movie film; picture photo image photograph; car automobile auto; phone telephone cellphone mobile smartphone
    kid child children; mom mother mum; dad father; man men; woman women; foot feet; tooth teeth; person people
    job career employment; salary pay wage; cost price fee charge; difference differ different distinguish distinction
    important significance importance significant; benefit advantage pro; disadvantage drawback con downside
    reduce decrease lower lessen; increase raise boost; improve enhance; lose shed; prevent avoid stop
    cure treat treatment remedy; happen occur; reason cause; purpose aim; big major; famous popular; rich wealthy
    doctor physician; medicine medication drug; hurt pain painful ache; sick ill; illness disease sickness
    pregnancy pregnant; baby infant; die death dead died; kill murder; live living life; marry marriage married
    learn study; teach teaching; speak speaking; write writing; read reading; university college; course class
    company firm; website site webpage; app application; laptop notebook; pc computer; internet web
    recover restore retrieve; delete remove erase; install setup; download downloading; picture pic
    cancel cancellation; order purchase; refund reimbursement; deliver delivery; ship shipping shipment
    country nation; city town; us usa america american states; uk britain british england; india indian
    china chinese; japan japanese; germany german; france french; russia russian; spain spanish; italy italian
    canada canadian; australia australian; pakistan pakistani
    weight pound; fat overweight; thin skinny; exercise workout; food meal; tasty delicious
    happy happiness; sad sadness; beautiful pretty; smart intelligent clever; stupid dumb; afraid scared fear
    choose select pick; recommend suggest; compare comparison; invest investment investing; develop development
    define definition; meaning mean; origin originate; invent invention; discover discovery
    money cash; bank banking; activate activation; verify verification; identify identification identity
    contact reach; allow permit; need require requirement; view see look; hear listen; talk speak; ask asking
    engineering engineer; programming program programmer code coding; science scientist scientific
    math maths mathematics; biology biological; history historical; politics political politician
    ok okay; tv television; bike bicycle; fridge refrigerator; flat apartment; holiday vacation; autumn fall
    colour color; favourite favorite; grey gray; centre center; organisation organization; programme program
    usd dollar buck; eur euro; gbp pound sterling; jpy yen; inr rupee; cny yuan renminbi; chf franc
    kg kilo kilogram kilogramme; km kilometer kilometre; cm centimeter centimetre; mm millimeter millimetre
    m meter metre; mg milligram; ml milliliter millilitre; l liter litre; lb lbs pound; oz ounce; ft foot; inch inches
    min minute; sec second; hr hour; mph; kph; percent percentage; gb gigabyte; mb megabyte; tb terabyte
    weekday workday; probably likely; maybe perhaps; earn earning; grow growth growing; lose losing lost loss
    sleep sleeping asleep; join joining; visit visiting; travel travelling traveling trip
    waive free; cover coverage; freeze block lock; withdraw withdrawal; deposit depositing; pay payment
"""
"""Words that may stand for each other: groups parted by ``;`` or a line's end. Only where the answer is the same."""

OPPOSITES: Final = """
    noon midnight; once twice; today tomorrow; today yesterday; tomorrow yesterday; double triple; all some; all none
    always sometimes; must may; useful useless; harmful harmless; careful careless; paid unpaid
    for against; with against; on off; up down; in out; before after; with without; increase decrease; raise lower
    enable disable; buy sell; open close; deposit withdraw; start stop; start end; begin end; first last; min max
    minimum maximum; best worst; better worse; good bad; more less; most least; many few; high low; highest lowest
    big small; biggest smallest; long short; longest shortest; fast slow; old new; old young; oldest newest
    oldest youngest; hot cold; wet dry; left right; north south; east west; win lose; gain loss; profit loss
    send receive; give take; lend borrow; upload download; import export; encrypt decrypt; lock unlock
    install uninstall; add remove; insert delete; connect disconnect; login logout; subscribe unsubscribe
    block unblock; mute unmute; follow unfollow; activate deactivate; allow forbid; allow block; accept reject
    approve deny; include exclude; attach detach; push pull; pass fail; true false; always never; love hate
    like dislike; arrive depart; enter exit; enter leave; early late; earliest latest; input output; upper lower
    top bottom; front back; inside outside; above below; over under; male female; man woman; boy girl; husband wife
    father mother; brother sister; son daughter; king queen; he she; him her; his her; day night; am pm; morning evening
    summer winter; public private; internal external; domestic international; local global; legal illegal
    safe dangerous; rich poor; cheap expensive; strong weak; debit credit; call put; asset liability; owe refund
    income expense; supply demand; bull bear; acute chronic; benign malignant; hypo hyper; hypertension hypotension
    hyperthyroidism hypothyroidism; gain lose; grow shrink; expand shrink; rise fall; appear disappear
    married single; alive dead; empty full; basic premium; basic advanced; beginner advanced; beginner expert
    single double; temporary permanent; positive negative; plus minus; multiply divide; advantage disadvantage
    pro con; strength weakness; question answer; employer employee; teacher student; landlord tenant; buyer seller
    sender recipient; parent child; introvert extrovert; freeze unfreeze; charge waive; cover exclude; hire fire
    remember forget; success failure; war peace; truth lie; present absent; vertical horizontal; serial parallel
    synchronous asynchronous; client server; encode decode; major minor; odd even; inhale exhale; attack defend
    save spend; save load; show hide; expand collapse; wired wireless; online offline; paid free; indoor outdoor
    solid liquid; acid base; anode cathode
"""
"""Two words a group; a question with the one never shares an answer with a question that has the other instead."""

MONTHS: Final = "january february march april may june july august september october november december"
WEEKDAYS: Final = "monday tuesday wednesday thursday friday saturday sunday"

DIGITS: Final = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen \
seventeen eighteen nineteen"
TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
ORDINALS: Final = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
SCALES: Final = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "lakh": 10**5, "crore": 10**7}
SCALE_LETTERS: Final = {"k": 1000, "m": 10**6, "mn": 10**6, "bn": 10**9}
CURRENCIES: Final = {"$": "usd", "€": "eur", "£": "gbp", "¥": "jpy", "₹": "inr"}
UNITS: Final = """
    kg g mg lb lbs oz km m cm mm mi ft in inch inches yd l ml gal mph kph kmh s sec ms min h hr hrs d day days week
    weeks month months year years yr yrs hour hours minute minutes second seconds gb mb kb tb ghz mhz hz w kw kwh v mah
    mcg iu ppm c f k x p usd eur gbp inr rs dollars dollar euros euro pounds pound percent
"""

SLOTS: Final = """
    red blue green yellow orange purple pink brown black white grey gold silver
    london paris berlin madrid rome vienna tokyo beijing delhi mumbai bangalore chennai hyderabad pune kolkata
    sydney melbourne toronto chicago boston seattle dallas houston miami denver atlanta dubai singapore
    afghanistan africa argentina asia austria belgium brazil chile colombia cuba denmark egypt europe finland greece
    hungary iceland indonesia iran iraq ireland israel kenya korea malaysia mexico morocco nepal netherlands nigeria
    norway peru philippines poland portugal romania scotland sweden switzerland syria taiwan thailand turkey ukraine
    venezuela vietnam california texas florida
    english spanish french german italian portuguese chinese mandarin japanese korean arabic hindi russian
    python java javascript ruby rust php perl swift kotlin scala golang haskell typescript
    windows linux macos android ios ubuntu iphone ipad kindle chrome firefox safari
    facebook twitter instagram whatsapp youtube google amazon apple microsoft netflix quora linkedin snapchat
    visa mastercard paypal bitcoin ethereum mysql postgresql postgres oracle mongodb redis excel word powerpoint
    breakfast lunch dinner kitchen bedroom bathroom garage hallway livingroom
    coffee tea beer wine milk bread rice chicken beef pork fish egg eggs cheese pizza pasta potato tomato apple banana
    lamp light heater fan thermostat vacuum speaker alarm radio oven
    dog cat horse cow bird rabbit
    head neck shoulder arm elbow wrist hand finger chest stomach hip leg knee ankle toe ear eye nose throat tongue
    son daughter brother sister wife husband uncle aunt grandmother grandfather boyfriend girlfriend
    savings mortgage ira roth etf usd eur gbp jpy inr cny chf
"""
"""Common fillers of a slot, also when typed without a capital: in one question only, they part it from the other."""
