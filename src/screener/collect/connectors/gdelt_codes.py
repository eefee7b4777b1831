"""Pure: GDELT's codes and names of countries and languages, and ours.

Source of the country codes: http://data.gdeltproject.org/api/v2/guides/LOOKUP-COUNTRIES.TXT (FIPS 10-4), paired with ISO 3166-1 by
name. Two of its names are slips and are not followed: ``LO`` is Slovakia, ``GV`` is Guinea.
"""

from __future__ import annotations

import re
from functools import cache

from screener.codes import countries, country_name, language_name, languages
from screener.errors import NoDataError

_ISO_AND_FIPS = """
AEAE AFAF ALAL AMAM AOAO ARAR BBBB BEBE BRBR BTBT BVBV CACA CMCM COCO CUCU CVCV CYCY DJDJ ECEC EGEG ERER ETET FIFI FJFJ FKFK
FMFM FOFO FRFR GHGH GIGI GLGL GPGP GRGR GTGT GYGY HKHK HRHR HUHU IDID IMIM ININ IOIO IRIR ITIT JEJE JMJM JOJO KEKE KGKG KZKZ
LALA LULU LYLY MDMD MKMK MLML MRMR MTMT MVMV MXMX MYMY MZMZ NCNC NFNF NLNL NONO NPNP NRNR NZNZ PEPE PKPK PLPL QAQA RERE RORO
RWRW SASA SHSH SISI SLSL SMSM SOSO SYSY THTH TVTV TWTW TZTZ UGUG USUS UYUY UZUZ VCVC VEVE WFWF WSWS ADAN AGAC AIAV AQAY ASAQ
ATAU AUAS AWAA AZAJ BABK BDBG BFUV BGBU BHBA BIBY BJBN BLTB BMBD BNBX BOBL BSBF BWBC BYBO BZBH CCCK CDCG CFCT CGCF CHSZ CIIV
CKCW CLCI CNCH CRCS CXKT CZEZ DEGM DKDA DMDO DODR DZAG EEEN EHWI ESSP GAGB GBUK GDGJ GEGG GFFG GGGK GMGA GNGV GQEK GUGQ GWPU
HNHO HTHA IEEI ILIS IQIZ ISIC JPJA KHCB KIKR KMCN KNSC KPKN KRKS KWKU KYCJ LBLE LCST LILS LKCE LRLI LSLT LTLH LVLG MAMO MCMN
MEMJ MFRN MGMA MHRM MMBM MNMG MOMC MPCQ MQMB MSMH MUMP MWMI NAWA NENG NGNI NINU NUNE OMMU PAPM PFFP PGPP PHRP PMSB PNPC PRRQ
PSWE PTPO PWPS PYPA RSRI RURS SBBP SCSE SDSU SESW SGSN SJSV SKLO SNSG SRNS SSOD STTP SVES SZWZ TCTK TDCD TFFS TGTO TJTI TKTL
TLTT TMTX TNTS TOTN TRTU TTTD UAUP VAVT VGVI VIVQ VNVM VUNH XKKV YEYM YTMF ZASF ZMZA ZWZI
"""
_FIPS = {pair[:2]: pair[2:] for pair in _ISO_AND_FIPS.split()}
_COUNTRIES = {
    "bosniaherzegovina": "BA", "cotedivoire": "CI", "czechrepublic": "CZ", "easttimor": "TL", "hongkong": "HK", "macau": "MO",
    "macedonia": "MK", "swaziland": "SZ", "turkey": "TR", "westbank": "PS",
}  # fmt: skip
"""GDELT's names that CLDR writes otherwise."""
_LANGUAGES = {"bengali": "bn", "sinhalese": "si"}


def fips_of(country: str) -> str:
    """GDELT's code of an ISO country, e.g. ``VM`` for ``VN``; raises ``NoDataError`` where it has none."""
    if country not in _FIPS:
        raise NoDataError(f"GDELT has no code for the country {country}")
    return _FIPS[country]


def country_of(name: str) -> str | None:
    """ISO code of a country's English name as GDELT writes it, ``None`` for one that can't be told."""
    return _country_names().get(_plain(name))


def language_of(name: str) -> str | None:
    """Code of a language's English name as GDELT writes it (``NorwegianNynorsk``), ``None`` for one that can't be told."""
    return _language_names().get(_plain(name))


@cache
def _country_names() -> dict[str, str]:
    return {_plain(country_name(code).partition("(")[0]): code for code in countries()} | _COUNTRIES


@cache
def _language_names() -> dict[str, str]:
    return {_plain(language_name(code)): code for code in languages()} | _LANGUAGES


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())
