"""What can be wrong with a file, a row or a cell: a code, its parameters, and the text in Chinese and English."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Params = Mapping[str, str | int]

TEXTS: dict[str, tuple[str, str]] = {
    # the file as a whole
    "file_missing": ("文件不存在或无法读取", "the file does not exist or cannot be read"),
    "file_empty": ("文件里没有任何内容", "the file has no content"),
    "kind_unknown": (
        "不支持的文件类型“{suffix}”，请使用 .xlsx、.csv 或 .csv.gz",
        "files of type “{suffix}” are not supported; use .xlsx, .csv or .csv.gz",
    ),
    "kind_differs": (
        "文件扩展名是“{suffix}”，内容却是 {found}，请用正确的扩展名另存",
        "the file is named “{suffix}” but contains {found}; save it under the right type",
    ),
    "encoding_unknown": (
        "无法识别文字编码：第 {byte} 字节既不是 UTF-8 也不是 GB18030，请另存为 UTF-8 或 .xlsx",
        "the text encoding is not recognised: byte {byte} is neither UTF-8 nor GB18030; save as UTF-8 or .xlsx",
    ),
    "gzip_broken": ("压缩文件不完整或已损坏", "the compressed file is incomplete or damaged"),
    "too_large": ("解压后超过 {limit} 字节的上限", "the content exceeds the limit of {limit} bytes"),
    "ratio": (
        "压缩比超过 {limit} 倍，疑似压缩炸弹",
        "the content is compressed more than {limit} times, like a zip bomb",
    ),
    "too_many_rows": ("超过 {limit} 行的上限，请分成几个文件", "more than {limit} rows; split the file"),
    "too_many_columns": ("超过 {limit} 列的上限", "more than {limit} columns"),
    "too_many_cells": ("工作表范围超过 {limit} 个单元格的上限", "a sheet spans more than {limit} cells"),
    "header_broken": ("表头行无法读取", "the header row cannot be read"),
    "quotes_broken": (
        "引号不配对的行超过 {limit} 行，文件结构已损坏",
        "more than {limit} rows have unbalanced quotes; the structure of the file is damaged",
    ),
    "xlsx_encrypted": (
        "文件已加密或是旧版 .xls，请去掉密码并另存为 .xlsx",
        "the file is encrypted or an old .xls; remove the password and save as .xlsx",
    ),
    "xlsx_not_zip": ("不是有效的 .xlsx 文件", "not a valid .xlsx file"),
    "xlsx_broken": ("工作簿已损坏，无法读取", "the workbook is damaged and cannot be read"),
    "xlsx_members": ("工作簿内的部件超过 {limit} 个", "the workbook has more than {limit} parts"),
    "xlsx_entity": (
        "工作簿含有 DOCTYPE 或实体声明，不予读取",
        "the workbook declares a DOCTYPE or an entity and is not read",
    ),
    # a row
    "short_row": ("只有 {found} 列，应为 {wanted} 列", "only {found} cells, {wanted} are needed"),
    "extra_cells": ("第 {wanted} 列之后还有内容", "there is content beyond column {wanted}"),
    "quote": ("引号不配对", "a quote is not closed or stands in a wrong place"),
    "nul": ("含有空字节（NUL）", "contains a NUL byte"),
    "bad_bytes": ("含有无法识别的字节", "contains bytes that are no text"),
    "line_too_long": ("一行超过 {limit} 个字符", "the line exceeds {limit} characters"),
    "cell_too_long": ("单元格超过 {limit} 个字符", "the cell exceeds {limit} characters"),
    "precision_lost": (
        "超过15位的数字已丢失精度，长编码请存为文本",
        "a number of more than 15 digits has lost its last ones; store long codes as text",
    ),
    "error_cell": ("单元格是错误值 {found}", "the cell holds the error {found}"),
    "formula_without_value": (
        "公式没有保存计算结果，请用表格软件打开并保存一次",
        "a formula without a stored result; open and save the file in a spreadsheet program",
    ),
    # a cell
    "blank": ("不能为空", "must not be empty"),
    "not_a_date": ("“{text}”不是日期", "“{text}” is not a date"),
    "no_such_day": ("{text} 这一天不存在", "there is no such day as {text}"),
    "not_an_integer": ("“{text}”不是整数", "“{text}” is not a whole number"),
    "not_a_number": ("“{text}”不是数字", "“{text}” is not a number"),
    "number_too_long": ("数字超过 {limit} 位", "the number has more than {limit} digits"),
}
"""Problem code → Chinese and English text, with the parameters in braces."""


def texts(code: str, params: Params) -> tuple[str, str]:
    """This function will give the Chinese and the English text of a problem."""
    zh, en = TEXTS[code]
    return zh.format(**params), en.format(**params)


class FileRefused(Exception):
    """The file as a whole can't be taken."""

    def __init__(self, code: str, **params: str | int) -> None:
        self.code = code
        self.params: Params = MappingProxyType(params)
        self.zh, self.en = texts(code, params)
        super().__init__(f"{self.zh} / {self.en}")

    @property
    def reason(self) -> str:
        """The Chinese text."""
        return self.zh


class CellProblem(ValueError):
    """The text of a cell isn't what its column holds."""

    def __init__(self, code: str, **params: str | int) -> None:
        self.code = code
        self.params: Params = MappingProxyType(params)
        self.zh, self.en = texts(code, params)
        super().__init__(f"{self.zh} / {self.en}")


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing wrong with one row; ``column`` is the header text, or "" when the row as a whole is meant."""

    sheet: str
    row: int
    column: str
    code: str
    params: Params = field(default_factory=dict)

    @property
    def zh(self) -> str:
        """The Chinese text."""
        return texts(self.code, self.params)[0]

    @property
    def en(self) -> str:
        """The English text."""
        return texts(self.code, self.params)[1]

    @property
    def reason(self) -> str:
        """The Chinese text."""
        return self.zh
