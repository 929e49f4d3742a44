"""The gallery: sample pages made of every part of the shell, rendered without models, served and photographed.

Run `python tests/web/shell/shell_gallery.py FOLDER` to write the pages as HTML and their pictures to FOLDER.
"""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import django
from django import forms
from django.conf import settings
from django.template.backends.django import DjangoTemplates
from django.utils import timezone, translation
from playwright.sync_api import sync_playwright

from anban.web import shell as shell_package
from anban.web.shell import components as c

SHELL: Final = Path(str(shell_package.__file__)).parent
HERE: Final = Path(__file__).parent
NOW: Final = datetime(2026, 11, 21, 1, 12, tzinfo=UTC)
"""Saturday 21 November 2026, 09:12 in Beijing."""
PAGES: Final = ("gallery", "desk", "ledger", "hazard", "board", "wall", "form", "sign_in", "refused")


def configure() -> None:
    """This function will set up Django with the least it needs, where nothing else has done so."""
    if not settings.configured:
        settings.configure(USE_TZ=True, TIME_ZONE="Asia/Shanghai", LANGUAGE_CODE="zh-hans", STATIC_URL="/static/")
        django.setup()


def engine() -> DjangoTemplates:
    """This function will return a template engine that knows the shell and the gallery, and nothing else."""
    return DjangoTemplates(
        {
            "NAME": "gallery",
            "DIRS": [str(SHELL / "templates"), str(HERE / "templates")],
            "APP_DIRS": False,
            "OPTIONS": {"libraries": {"shell": "anban.web.shell.templatetags.shell"}, "string_if_invalid": ""},
        }
    )


class PlaceForm(forms.Form):
    """A form with every kind of field."""

    name = forms.CharField(label="单位名称", help_text="与营业执照一致")
    code = forms.CharField(label="统一社会信用代码", min_length=18, help_text="18 位，末位是校验位")
    kind = forms.ChoiceField(label="类别", choices=[("rest", "餐饮"), ("ware", "仓储"), ("hosp", "医院")])
    gas = forms.ChoiceField(
        label="用气", choices=[("no", "不用气"), ("pipe", "管道气"), ("lpg", "瓶装液化气")], widget=forms.RadioSelect
    )
    note = forms.CharField(label="说明", required=False, widget=forms.Textarea)
    photo = forms.FileField(label="现场照片", required=False, help_text="保留原图，时间和位置只在系统内部使用")
    night = forms.BooleanField(label="夜间有人住宿", required=False)


class SignInForm(forms.Form):
    """Login and password."""

    login = forms.CharField(label="账号")
    password = forms.CharField(label="密码", widget=forms.PasswordInput)
    code = forms.CharField(label="动态验证码", required=False, help_text="开通了两步验证的账号才需要")


def _at(days: float, hour: int = 18) -> datetime:
    day = (NOW + timedelta(days=days)).date()
    return datetime(day.year, day.month, day.day, hour, tzinfo=timezone.get_default_timezone())


PICTURE: Final = "/photos/{}.svg"
DISTRICTS: Final = {
    "110101": ("东城区", 312), "110102": ("西城区", 287), "110105": ("朝阳区", 1184), "110106": ("丰台区", 903),
    "110107": ("石景山区", 141), "110108": ("海淀区", 866), "110109": ("门头沟区", 77), "110111": ("房山区", 402),
    "110112": ("通州区", 731), "110113": ("顺义区", 388), "110114": ("昌平区", 655), "110115": ("大兴区", 974),
    "110116": ("怀柔区", 98), "110117": ("平谷区", 112), "110118": ("密云区", 0), "110115403": ("经济技术开发区", 233),
}  # fmt: skip


def sample() -> dict[str, Any]:
    """This function will return everything the sample pages show."""
    photo = c.Photo(PICTURE.format("a"), PICTURE.format("a"), "灶台下方连接软管龟裂", _at(-9, 9), "陈伟")
    after = c.Photo(PICTURE.format("b"), PICTURE.format("b"), "已换金属波纹管并加装切断阀", _at(-1, 16), "李强")
    entries = (
        c.TimelineEntry(_at(-263, 10), "上账", "陈伟", "街道安全检查队", "检查 V-2026-0031，第3项", cycle=1,
                        cycle_note="3月2日销号，现场核验", href="#"),
        c.TimelineEntry(_at(-260, 15), "复查合格，销号", "孙倩、吴桐", "街道综合执法队", cycle=1, proof_href="#"),
        c.TimelineEntry(_at(-9, 9), "上账", "陈伟", "街道安全检查队", "检查 V-2026-4410，第7项；系统提示为反弹", cycle=2,
                        photos=(photo,), proof_href="#"),
        c.TimelineEntry(_at(-9, 9) + timedelta(minutes=20), "责令限期整改", "孙倩", "街道综合执法队", "文书已送达李强",
                        cycle=2, recorded_at=_at(-8, 8)),
        c.TimelineEntry(_at(-2, 11), "同意延期", "王敏", "望京街道", "定制波纹管到货晚，已停用灶具", cycle=2,
                        changes=(c.FieldChange("限期", "11月21日", "11月28日"), c.FieldChange("临时管控", "", "停用灶具"))),
    )  # fmt: skip
    chain = (
        c.ChainLink("整改", "巷口面馆", ("李强",), "#"),
        c.ChainLink("属地", "望京街道", ("王敏",), "#"),
        c.ChainLink("行业主管", "区商务局", ("周航",), "#"),
        c.ChainLink("专业监管", "区城市管理委", ("赵磊",), "#", waiting="待签收"),
        c.ChainLink("执法主体", "街道综合执法队", ("孙倩", "吴桐"), "#"),
        c.ChainLink("督办"),
    )
    term = functools.partial(c.Deadline, now=NOW)
    duties = (
        c.DutyLine(term(_at(-2)), "复查", "巷口面馆（望京店）", "燃气软管老化 · 第1次反弹", "#1", "陈伟", "general"),
        c.DutyLine(term(_at(-1)), "核实", "望京西园四区 412 号楼", "三层通道堆放杂物，居民来电 2 次", "#2", "陈伟"),
        c.DutyLine(term(_at(0)), "签收", "望和家园地下车库", "电动自行车违规充电", "#3", "", "suspected_major"),
        c.DutyLine(term(_at(2)), "批延期", "阜通东大街 6 号院施工项目", "限额以下工程动火未报备", "#4", "孙倩"),
        c.DutyLine(term(_at(4)), "复查", "花家地综合仓库", "唯一出口夜间从外锁闭", "#5", "吴桐", "major"),
        c.DutyLine(term(_at(6), provisional=True), "督促整改", "南湖口腔门诊部", "疏散指示标志缺失 3 处", "#6", "吴桐"),
    )
    places = ("巷口面馆（望京店）", "望和家园地下车库", "花家地综合仓库", "南湖口腔门诊部", "阜通东大街 6 号院施工项目",
              "望京西园四区 412 号楼", "利泽中园便民菜市场", "湖光中街加油站")  # fmt: skip
    matters = ("燃气软管老化、无切断阀", "电动自行车违规充电", "唯一出口夜间从外锁闭", "疏散指示标志缺失 3 处",
               "动火未报备、无监护", "三层通道堆放杂物", "配电箱无漏电保护", "卸油口静电接地夹损坏")  # fmt: skip
    states = (("rectifying", "整改中"), ("awaiting_receipt", "待签收"), ("rectifying", "整改中"), ("closed", "已销号"),
              ("awaiting_review", "待复查"), ("unverified", "待核实"), ("merged", "已并案"), ("closed", "已销号"))  # fmt: skip
    grades = ("general", "suspected_major", "major", "general", "general", "undetermined", "general", "general")
    terms = (term(_at(7)), term(_at(0)), term(_at(-3)), term(_at(-9), done_at=_at(-10)), term(_at(3)), term(_at(1)),
             term(None), term(_at(-20), done_at=_at(-16)))  # fmt: skip
    rows = [
        {"no": f"HZ-2026-0188{42 + at}", "place": places[at], "matter": matters[at], "state": states[at],
         "grade": grades[at], "term": terms[at], "who": ("陈伟", "孙倩", "吴桐")[at % 3], "on": _at(-at * 40), "round": 1 + at % 2}
        for at in range(8)
    ]  # fmt: skip
    state_options = tuple(
        c.FilterOption(label, "#", selected=label == "整改中", count=count)
        for label, count in (
            ("待核实", "31"),
            ("待签收", "12"),
            ("整改中", "188"),
            ("待复查", "44"),
            ("已销号", "9 310"),
        )
    )
    filters = (
        c.Filter("地区", (c.FilterOption("望京街道", "#", count="412"), c.FilterOption("东湖街道", "#", count="96"))),
        c.Filter("状态", state_options, clear_href="#"),
        c.Filter("等级", (c.FilterOption("一般", "#"), c.FilterOption("重大", "#"))),
        c.Filter("种类", (c.FilterOption("燃气", "#"), c.FilterOption("消防", "#"))),
        c.Filter("逾期", (c.FilterOption("已逾期", "#", selected=True),), clear_href="#"),
        c.Filter("反弹", (c.FilterOption("反弹过", "#"),)),
        c.Filter("来源", (c.FilterOption("检查", "#"),)),
        c.Filter("时间", inputs=(c.FilterInput("from", "从", "", "date"), c.FilterInput("to", "到", "", "date"))),
    )
    columns = (
        c.Column("place", "单位", fixed=True), c.Column("state", "状态"), c.Column("matter", "隐患"),
        c.Column("grade", "等级"), c.Column("due", "期限", sort="#", sorted="ascending"), c.Column("who", "责任人"),
        c.Column("on", "上账", sort="#"), c.Column("round", "轮次", number=True), c.Column("no", "编号"),
        c.Column("source", "来源", shown=False),
    )  # fmt: skip
    figures = (
        c.Figure("7 062", "未销号", "#", trend=c.Trend("较上周 +118", "up")),
        c.Figure("412", "已逾期", "#", trend=c.Trend("较上周 −36", "down")),
        c.Figure("9", "重大隐患", "#", trend=c.Trend("较上周 +1", "up", certain=False)),
        c.Figure("3.1", "反弹率", "#", "%", c.Trend("较上季 −0.2 个百分点", "down", certain=False)),
        c.Figure("86", "现场核验销号", "#", "%", c.Trend("较上季 +4 个百分点", "up")),
        c.Figure("1.8", "平均签收", "#", "天", c.Trend("与上周持平")),
    )
    visits = tuple(
        c.VisitMark(date(2026, 11, 12) - timedelta(days=day), kind, label, "#")
        for day, kind, label in (
            (0, "found", "查出 2 项"), (40, "clean", "未见隐患"), (130, "clean", "未见隐患"), (255, "closed", "复查销号 1 项"),
            (263, "found", "查出 1 项"), (350, "clean", "未见隐患"), (470, "clean", "未见隐患"), (610, "found", "查出 3 项"),
        )
    )  # fmt: skip
    bad = PlaceForm({"name": "", "code": "9111010", "kind": "rest", "gas": "lpg", "note": ""})
    return {
        "now": NOW, "printed_at": NOW, "csrf_token": "x" * 64, "photos_before": (photo, replace(photo, alt="减压阀可调")),
        "photos_after": (after,), "entries": entries, "chain_links": chain, "duty_lines": duties, "rows": rows,
        "filters": filters, "columns": columns, "figures": figures, "visits": visits, "until": date(2026, 11, 21),
        "bad_form": bad, "sign_in_form": SignInForm(), "form": SignInForm(),
        "areas": tuple(c.MapArea(code, name, value, f"{value} 条", f"#{code}") for code, (name, value) in DISTRICTS.items()),
        "crumbs": (c.Crumb("台账", "#"), c.Crumb("望京街道", "#"), c.Crumb("HZ-2026-018842")),
        "tab_items": (c.Tab("隐患", "#", True, 12), c.Tab("检查", "#", count=40), c.Tab("文书", "#"), c.Tab("责任人", "#")),
        "steps": (c.Step("选择文件", "done"), c.Step("对应列", "done"), c.Step("预览", "now"), c.Step("写入")),
        "fact_items": (c.Fact("地址", "朝阳区望京街道阜通东大街 6 号"), c.Fact("法定代表人", "李强", "#"),
                       c.Fact("用气", "瓶装液化气", note="签约：北京燃气液化"), c.Fact("建筑面积", "86 平方米"), c.Fact("许可证", "")),
        "action_items": (c.Action("申请复查", "#", c.Tone.PRIMARY), c.Action("申请延期", "#"), c.Action("作废这条记录", "#", c.Tone.DANGER),
                         c.Action("移交", "#"), c.Action("打印隐患告知单", "#")),
        "hazard_actions": (c.Action("申请复查", "#", c.Tone.PRIMARY), c.Action("申请延期", "#"), c.Action("移交", "#"), c.Action("打印", "#")),
        "bulk_items": (c.Action("移交", tone=c.Tone.PRIMARY), c.Action("导出所选")),
        "page_of": c.Pager("", "#", "第 1–8 条"), "begin": c.Action("登记隐患", "#", c.Tone.PRIMARY), "retry": c.Action("重试", "#"),
        "all_states": tuple({label: state for state, label in states}.items()), "all_terms": (*terms, term(_at(9), provisional=True)),
        "all_grades": ("major", "suspected_major", "general", "undetermined", "red", "orange", "yellow", "blue"),
        "levels": ("info", "warning"),
        "nav": (c.NavItem("我的待办", "#desk", True, 15), c.NavItem("台账", "#ledger"), c.NavItem("单位", "#places"),
                c.NavItem("检查", "#visits"), c.NavItem("监管责任", "#duty"), c.NavItem("导入", "#import"), c.NavItem("全市总览", "#board")),
        "phone_nav": (c.NavItem("待办", "#desk", True, 15), c.NavItem("检查", "#visits"), c.NavItem("上报", "#report")),
        "frame": c.Frame("王敏", "街道安全员", "望京街道", (c.AreaOption("望京街道", "#", True), c.AreaOption("东湖街道", "#")), "demonstration",
                         "", "#search", "", "#theme", "#language", "#account", "#out", "#desk", "#ledger", "#places"),
    }  # fmt: skip


def render(page: str, theme: str = "", language: str = "zh-hans") -> str:
    """This function will render one page of the gallery."""
    with translation.override(language), timezone.override("Asia/Shanghai"):
        context = {**sample(), "theme": theme}
        if page == "sign_in":
            return str(engine().get_template("shell/sign_in.html").render(context))
        if page == "refused":
            return str(engine().get_template("403.html").render(context))
        return str(engine().get_template(f"gallery/{page}.html").render(context))


@dataclass(frozen=True, slots=True)
class Served:
    """Where the gallery is served."""

    address: str


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Pages from memory, static files from the shell, drawn photos."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path.startswith("/static/"):
            file = SHELL / path.lstrip("/")
            body = file.read_bytes()
            kind = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}.get(
                file.suffix, "text/plain"
            )
        elif path.startswith("/photos/"):
            tone = "#8a8f7c" if "a" in path.rpartition("/")[2] else "#6f8792"
            body = (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="800" height="600"><path fill="{tone}" d="M0 0h800v600H0z"/>'
                '<path d="M0 470h800v130H0z" fill="#444"/><path d="M330 90h120v380H330z" fill="#caa"/></svg>'
            ).encode()
            kind = "image/svg+xml"
        else:
            body, kind = render(path.strip("/"), query.partition("=")[2]).encode(), "text/html; charset=utf-8"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header(
            "Content-Security-Policy",
            "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:",
        )
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[Served]:
    """This function will serve the gallery on a free port of this machine, with the product's content security policy."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()


def photograph(folder: Path, wanted: tuple[str, ...] = PAGES) -> None:
    """This function will write every page as HTML and as pictures at 390 and 1440 px in both themes."""
    folder.mkdir(parents=True, exist_ok=True)
    with served() as site, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for page_name in wanted:
            for width, height in ((390, 844), (1440, 900)) if page_name != "wall" else ((1920, 1080),):
                for theme in ("light", "dark"):
                    page = browser.new_page(viewport={"width": width, "height": height})
                    page.goto(f"{site.address}/{page_name}?theme={theme}")
                    page.screenshot(path=folder / f"{page_name}-{width}-{theme}.png", full_page=page_name != "wall")
                    page.close()
        browser.close()


configure()

if __name__ == "__main__":
    photograph(Path(sys.argv[1]), tuple(sys.argv[2:]) or PAGES)
