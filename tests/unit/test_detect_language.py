"""All texts here are invented."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screener.detect_language import DETECTOR_VERSION, Detector, LanguageScore, ParallelDetector, evaluate, macro_f1
from screener.detect_language.clean import clean
from screener.detect_language.evaluate import Judged, calibration, undetermined_share
from screener.detect_language.letters import by_letters
from screener.detect_language.pool import PRIOR_ODDS
from screener.detect_language.priors import prior
from screener.detect_language.scripts import OWNED, SHARED, count_scripts, main_script
from screener.detect_language.voters import cld2, project_code
from screener.errors import UnknownCodeError
from screener.records import LanguageGuess
from screener.settings.schemas import DetectLanguageSettings

TEXTS = {
    "th": "โรงงานไม่จ่ายค่าจ้างสองเดือนแล้วครับ",
    "lo": "ນາຍຈ້າງບໍ່ຈ່າຍເງິນເດືອນໃຫ້ພວກເຮົາ",
    "my": "အလုပ်ရှင်က လစာမပေးဘူး",
    "km": "ថៅកែមិនបើកប្រាក់ខែឱ្យយើងទេ",
    "si": "මාස දෙකක පඩිය තවම දුන්නේ නැහැ",
    "ta": "இரண்டு மாத சம்பளம் இன்னும் வரவில்லை",
    "te": "మాకు రెండు నెలల జీతం ఇవ్వలేదు",
    "bn": "মালিক দুই মাসের বেতন দেয়নি",
    "ko": "두 달째 월급을 못 받았습니다",
    "ja": "残業代がまだ支払われていません",
    "zh": "老板拖欠我们三个月的工资",
    "he": "הבוס לא שילם לנו משכורת",
    "el": "Δεν μας πλήρωσαν ακόμη τον μισθό",
    "am": "አሰሪው የሁለት ወር ደሞዝ አልከፈለንም ነው የሚሉት",
    "ti": "እቲ ኣስራሒ ናይ ክልተ ወርሒ ደሞዝ ኣይከፈለናን ኣብዚ ስራሕ",
    "ar": "صاحب العمل لم يدفع لنا الراتب منذ شهرين",
    "fa": "کارفرما دو ماه است که حقوق ما را نداده است",
    "ur": "مالک نے دو ماہ سے ہماری تنخواہ نہیں دی ہے",
    "ug": "خوجايىن بىزنىڭ ئىككى ئايلىق ئىش ھەققىمىزنى بەرمەيۋاتىدۇ",
    "hi": "मालिक ने दो महीने से हमारी तनख्वाह नहीं दी है",
    "ne": "मालिकले दुई महिनादेखि हामीलाई तलब दिएको छैन",
    "ru": "Начальник уже второй месяц не платит нам зарплату",
    "uk": "Начальник уже другий місяць не платить нам зарплатню",
    "en": "The boss has not paid us for two months and keeps our passports",
    "es": "El jefe no nos ha pagado el sueldo desde hace dos meses",
    "pt": "O patrão não nos paga o salário há dois meses",
    "fr": "Le patron ne nous a pas payé le salaire depuis deux mois",
    "de": "Der Chef hat uns seit zwei Monaten keinen Lohn bezahlt",
    "it": "Il capo non ci paga lo stipendio da due mesi",
    "sv": "Chefen har inte betalat ut lönen på två månader",
    "tr": "Patron iki aydır maaşımızı ödemiyor",
    "vi": "Ông chủ đã hai tháng không trả lương cho chúng tôi",
    "tl": "Dalawang buwan na kaming hindi sinasahuran ng amo namin",
    "id": "Sudah dua bulan bos tidak bayar gaji kami karena katanya uang belum cair",
    "ms": "Majikan sudah dua bulan tak bayar gaji kerana syarikat tiada wang",
    "sw": "Mwajiri hajatulipa mshahara kwa miezi miwili sasa",
    "ha": "Mai gidan aiki bai biya mu albashi ba har wata biyu",
    "so": "Loo shaqeeyuhu lama bixin mushaharkii labadii bilood ee la soo dhaafay",
    "pcm": "Oga never pay us since two months abeg wetin we go chop, una dey see am",
    "hi-Latn": "bhai do mahine se malik ne pagar nahi diya hai, kya karu ab",
    "ar-Latn": "sa7eb el khedma ma 3tanech flousna, chahrin w a7na nestannew",
}
SETTINGS = DetectLanguageSettings(model="languages/1", min_confidence=0.25, min_letters=3, processes=2)
SURE = PRIOR_ODDS / (PRIOR_ODDS + 1)
"""Confidence that no prior overrules: odds of 19 to 1."""


@pytest.fixture(scope="module")
def detector():
    return Detector(SETTINGS)


@pytest.mark.parametrize("language", TEXTS)
def test_detect_names_the_language(detector, language):
    guess = detector.detect(TEXTS[language])
    assert guess.language == language
    assert 0.25 <= guess.confidence <= 1


@pytest.mark.parametrize(
    "text", ["", " \n\t", "😭😭😂", "12 345,- 2026", "@user https://t.co/xyz", "[URL] USER", "ok", "ⴰⵣⵓⵍ"]
)
def test_detect_says_und_where_there_is_nothing_to_read(detector, text):
    guess = detector.detect(text)
    assert (guess.language, guess.method, guess.confidence) == ("und", "none", 0.0)


def test_detect_says_und_below_the_confidence_asked_for():
    strict = Detector(DetectLanguageSettings(model="languages/1", min_confidence=1.0, min_letters=3, processes=2))
    guess = strict.detect(TEXTS["id"])
    assert guess.language == "und"
    assert guess.method != "none"
    assert guess.confidence > 0


def test_detect_takes_one_letter_of_an_owned_script(detector):
    assert detector.detect("ครับ").language == "th"
    assert detector.detect("네").language == "ko"
    assert detector.detect("да").language == "und"


@pytest.mark.parametrize(
    ("text", "method"), [(TEXTS["th"], "script"), (TEXTS["ug"], "ngrams"), (TEXTS["de"], "ngrams"), ("ok baba", "vote")]
)
def test_detect_names_the_deciding_step(detector, text, method):
    assert detector.detect(text).method == method


def test_detect_ignores_addresses_tags_and_emoji(detector):
    noisy = f"@user RT https://t.co/abc123 {TEXTS['sv']} 😭😭 #fail [URL]"
    assert detector.detect(noisy).language == "sv"


def test_detect_lets_foreign_names_pass(detector):
    assert detector.detect("โรงงาน Best Poultry Company Limited ไม่จ่ายเงิน").language == "th"


@pytest.mark.parametrize(
    ("text", "country", "language"),
    [
        ("dan kami kerja malam", "ID", "id"),
        ("dan kami kerja malam", "MY", "ms"),
        ("ikke betalt", "NO", "no"),
        ("ikke betalt", "DK", "da"),
    ],
)
def test_prior_tips_a_short_text(detector, text, country, language):
    guess = detector.detect(text, country=country)
    assert guess.language == language


def test_prior_says_whether_hindustani_is_hindi_or_urdu(detector):
    text = "abhi tak paise nahi mile"
    assert detector.detect(text, country="IN").language == "hi-Latn"
    assert detector.detect(text, country="PK").language == "ur-Latn"
    assert detector.detect(text, expected=("ur",)).language == "ur-Latn"


LATIN = st.lists(st.sampled_from(" ".join(TEXTS.values()).split()), min_size=1, max_size=8).map(" ".join)


@settings(deadline=None, max_examples=300)
@given(
    text=st.one_of(LATIN, st.text(max_size=80)),
    country=st.sampled_from(["TH", "PK", "IN", "MY", "NG", "CN"]),
    expected=st.lists(st.sampled_from(["my", "fi", "id", "ur", "sw"]), max_size=3).map(tuple),
)
def test_prior_never_overrules_clear_evidence(text, country, expected):
    detector = Detector(SETTINGS)
    without = detector.detect(text)
    if without.confidence > SURE:
        assert detector.detect(text, country=country, expected=expected).language == without.language


NOISE = st.lists(
    st.sampled_from(
        [
            "https://t.co/Ab1",
            "http://x.example/a?b=c",
            "www.example.org/q",
            "@someone",
            "@User_99",
            "[URL]",
            "USER",
            "RT",
        ]
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=300)
@given(text=st.one_of(LATIN, st.text(max_size=80)), before=NOISE, after=NOISE)
def test_links_and_mentions_change_nothing(text, before, after):
    detector = Detector(SETTINGS)
    noisy = " ".join([*before, text, *after])
    assert detector.detect(noisy) == detector.detect(text)


@pytest.mark.parametrize(
    ("text", "language", "mixed_with"),
    [
        ("salary nahi mili do mahine se aur malik phone nahi uthata hai, I will complain to the labour office on monday because nobody listens here", "hi-Latn", "en"),
        ("el jefe no nos paga el sueldo desde hace tres meses, the workers in the dormitory are afraid to speak about it", "en", "es"),
        ("โรงงานไม่จ่ายค่าจ้างสองเดือนแล้วครับ the company says we have to wait until next month for our money", "th", "en"),
        ("ကျွန်တော်တို့ လစာမရသေးဘူး โรงงานไม่จ่ายค่าจ้างสองเดือนแล้วครับ", "th", "my"),
        ("The boss has not paid us for two months and keeps our passports", "en", None),
        ("残業代がまだ支払われていません労働組合に相談", "ja", None),
    ],
)  # fmt: skip
def test_mixed_posts_name_their_second_language(detector, text, language, mixed_with):
    guess = detector.detect(text)
    assert {guess.language, guess.mixed_with} == {language, mixed_with}


@pytest.mark.parametrize("language", TEXTS)
def test_plain_posts_are_not_called_mixed(detector, language):
    assert detector.detect(TEXTS[language]).mixed_with is None


def test_detect_is_deterministic_and_needs_no_order(detector):
    first = [detector.detect(text) for text in TEXTS.values()]
    second = [Detector(SETTINGS).detect(text) for text in reversed(TEXTS.values())]
    assert first == second[::-1]


def test_detect_many_equals_detect(detector):
    items = [(text, "ID", ("id", "my")) for text in TEXTS.values()]
    expected = [detector.detect(text, country=country, expected=languages) for text, country, languages in items]
    assert detector.detect_many(items) == expected
    assert detector.detect_many([]) == []


@settings(deadline=None, max_examples=150)
@given(
    text=st.one_of(st.text(st.characters(), max_size=120), st.text("abc 37ئښیकछ中のїы#@\n\x00'", max_size=60)),
    country=st.sampled_from([None, "TH", "PK", "ZZ"]),
)
def test_detect_never_raises(text, country):
    guess = Detector(SETTINGS).detect(text, country=country, expected=("my",))
    assert 0 <= guess.confidence <= 1
    assert guess.language == "und" or guess.confidence >= SETTINGS.min_confidence


@settings(deadline=None)
@given(st.text(max_size=200))
def test_clean_puts_one_blank_between_words(text):
    cleaned = clean(text)
    assert cleaned == " ".join(cleaned.split())


def test_clean_keeps_words_of_hashtags_and_drops_the_rest():
    text = "RT @boss: #UnpaidWages3 http://x.y/z &amp; soooo BAD\\xf0\\x9f don't mail a@b.cd [PHONE]"
    assert clean(text) == "unpaid wages3 soo bad don t mail"


@pytest.mark.parametrize("address", ["hr@example.org", "https://t.cn/A6x", "www.example.org/jobs", "example.com/a?b=c"])
def test_clean_leaves_chinese_beside_an_address(address):
    assert clean(f"本厂招工，简历发{address}老板电话不接") == "本厂招工 简历发 老板电话不接"


def test_clean_folds_presentation_forms():
    assert clean("\ufeb3\ufefc\ufee1") == "سلام"


def test_scripts_count_letters_only():
    assert count_scripts("ab, 12 กข") == {"Latn": 2, "Thai": 2}
    assert count_scripts("ab c") == {"Latn": 3}
    assert main_script({}) == ""
    assert main_script({"Latn": 12, "Thai": 8}) == "Thai"
    assert not OWNED.keys() & SHARED.keys()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("日本の会社", "ja"),
        ("中国公司的工人都在这里等工资", "zh"),
        ("广告の公司的工人都在这里等工资发放", "zh"),
        ("ৰাতি কাম কৰো", "as"),
    ],
)
def test_letters_decide_within_shared_blocks(text, language):
    counts = count_scripts(text)
    assert by_letters(main_script(counts), counts, text) == language


def test_letters_leave_plain_arabic_to_the_ngrams():
    counts = count_scripts(TEXTS["ar"])
    assert by_letters("Arab", counts, TEXTS["ar"]) is None


def test_priors_know_countries_and_watches():
    pakistan = prior("PK", ())
    assert pakistan["ur"] == pakistan["ur-Latn"] >= 0.7
    assert prior("PH", ())["tl"] >= 0.7
    assert prior("TH", ("my",))["my"] == 1
    assert prior(None, ()) == prior("ZZ", ()) == {}


def test_ngram_labels_become_project_codes():
    assert [project_code(label) for label in ("zh-cn", "iw", "ak", "arz", "xx-Latn", "zxx", "un")] == [
        "zh",
        "he",
        "tw",
        "ar",
        None,
        None,
        None,
    ]


def test_cld2_stays_within_the_allowed_languages():
    assert cld2("vi har ikke fått lønn", frozenset({"no", "da"})).keys() <= {"no", "da"}
    assert cld2("\x00\x01", SHARED["Latn"]) == {}


def test_import_is_light():
    code = "import sys, screener.detect_language; print([m for m in ('scipy', 'sklearn', 'pycld2', 'langdetect', 'babel') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_evaluate_counts_per_gold_language():
    rows = [("en", "en"), ("en-GB", "fr"), ("fr", "fr"), ("fr", "und"), ("fil", "tl")]
    scores = evaluate(rows)
    assert scores[0] == LanguageScore(language="en", n=2, precision=1.0, recall=0.5, f1=2 / 3)
    assert [(score.language, score.f1) for score in scores[1:]] == [("fr", 0.5), ("tl", 1.0)]
    assert macro_f1(scores, min_posts=2) == pytest.approx((2 / 3 + 0.5) / 2)
    assert macro_f1(scores) == 0.0
    assert evaluate([]) == ()


def test_evaluate_refuses_unknown_codes():
    with pytest.raises(UnknownCodeError):
        evaluate([("klingon", "en")])


def test_detector_version_is_text():
    assert DETECTOR_VERSION == "2"


def judged(given_language, guess, confidence):
    return Judged("p1", given_language, given_language, "tweet", "text", LanguageGuess(guess, confidence, "ngrams"))


def test_calibration_leaves_out_what_was_not_answered():
    posts = [judged("en", "en", 0.9), judged("en", "fr", 0.9), judged("en", "und", 0.2)]
    error, bins = calibration(posts, (0.0, 0.5))
    assert error == pytest.approx(0.4)
    assert [(one.low, one.n, one.right) for one in bins] == [(0.5, 2, 0.5)]
    assert undetermined_share(posts) == pytest.approx(1 / 3)


def test_parallel_detector_answers_as_one_does(monkeypatch, detector):
    monkeypatch.setattr("screener.detect_language.parallel.WORTHWHILE", 10)
    items = [(text, "ID", ("id",)) for text in TEXTS.values()]
    with ParallelDetector(SETTINGS) as parallel:
        assert parallel.detect_many(items) == detector.detect_many(items)
        assert parallel.detect_many(items[:3]) == detector.detect_many(items[:3])
