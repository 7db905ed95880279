"""Rules for questions that are not English: the words that ask for the present, in languages that many people write.

They know far less than the English ones, so a question in a script that they do not read at all is refused.
"""

from __future__ import annotations

from farthing.levers.recall.rules import Rules

FOREIGN_SCRIPT = r"(?:[\u0370-\u1fff\u2e80-\ud7ff\uf900-\ufaff]\W*){4}"
"""Four letters of Greek, Cyrillic, Hebrew, Arabic, Indic, Thai, Chinese, Japanese or Korean: not a symbol or a name."""

PRESENT: Rules = (
    ("heute heutige heutigen jetzt gerade aktuell aktuelle aktuellen aktueller momentan derzeit gestern morgen", ""),
    ("neueste neuesten neuester neuestes", ""),
    ("aujourd maintenant actuellement actuelle actuelles demain récente récentes", ""),
    ("hoy ahora actualmente mañana ayer reciente recientes últimas últimos", ""),
    ("oggi adesso attualmente domani ieri recente recenti ultime ultimi", ""),
    ("hoje agora atualmente amanhã ontem últimas últimos", ""),
    ("vandaag momenteel gisteren vanavond nieuwste huidige", ""),
    ("idag imorgon igår ikväll dzisiaj dziś teraz jutro wczoraj bugün şimdi", ""),
)
"""German, French, Spanish, Italian, Portuguese, Dutch; Swedish, Polish, Turkish."""

REPORTED: Rules = (
    ("wetter wetterbericht wettervorhersage nachrichten schlagzeilen aktienkurs börsenkurs wechselkurs uhrzeit", ""),
    ("météo actualités bourse clima noticias meteo notizie notícias weerbericht nieuws väder pogoda", ""),
)
"""Weather, news and prices."""
