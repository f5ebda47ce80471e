"""XML of labelling tools: elements with their place, and numbers in them. Nothing of a document type is read, for that is where XML
can be made to swell or to read other files."""
import math
from xml.etree import ElementTree

from converter import DataError, read_bytes


def read_xml(path, root):
    """The root element of a file, which must have that name."""
    data = read_bytes(path)
    if b"\0" in data:
        raise DataError(f"{path}: is no XML in UTF-8; export it again")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise DataError(f"{path}: has a document type, which no labelling tool writes; remove it")
    try:
        element = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{path}: is no whole XML ({error}); export it again") from error
    if element.tag != root:
        raise DataError(f"{path}: begins with <{element.tag}>, not <{root}>; give the file that --help describes")
    return element


def number_of(text, what, place):
    try:
        number = float(text)
    except (TypeError, ValueError):
        number = math.nan
    if not abs(number) < 1e9:
        raise DataError(f"{place}: {what} is {text!r}, not a number; correct the entry")
    return number


def text_in(element, name, place):
    found = element.find(name)
    if found is None or not (found.text or "").strip():
        raise DataError(f"{place}: <{name}> is missing or empty; correct the entry")
    return found.text.strip()
