"""Reads what callgrind wrote: one file for each dump, with the instructions of every function itself."""

import pathlib
import re

TRIGGER = re.compile(r"^desc: Trigger: Client Request: (\S+)$")
# Names are written once, then their number stands for them: of functions, callees, objects.
NAMED = re.compile(r"^(fn|cfn|ob|cob)=\((\d+)\)(?: (.*))?$")
COST = re.compile(r"^(?:\+\d+|-\d+|\*|\d+|0x[0-9a-f]+)(?: (?:\+\d+|-\d+|\*|\d+))* (\d+)$")
# What a compiler adds to a name when it clones a function, and callgrind when one calls itself.
CLONE = re.compile(r"(\.(constprop|isra|part|cold|lto_priv)(\.\d+)*)+$| \[clone [^\]]*\]|'\d+$")


def case_of(lines):
    """The name the dump was asked for with; None for the one at the end of the program."""
    for line in lines:
        found = TRIGGER.match(line)
        if found:
            return found.group(1)
        if line.startswith("fn="):
            return None
    return None


SPELT_SHORTER = [
    ("std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string"),
    ("std::basic_string_view<char, std::char_traits<char> >", "std::string_view"),
    (", 18446744073709551615ul>", ">"),
]


def plain(name):
    """Without what only tells copies of one function apart, as a reader would write it."""
    before = None
    while before != name:
        before, name = name, CLONE.sub("", name)
    for spelt, shorter in SPELT_SHORTER:
        name = name.replace(spelt, shorter)
    return name


def without_symbol(path):
    """All that a stripped library does under no name: its addresses say nothing."""
    return f"(in {pathlib.PurePath(path).name.split('.so')[0]}, without a symbol)"


class Names:
    """What the numbers stand for, and the function and the object that the costs belong to."""

    def __init__(self):
        self._functions, self._objects = {}, {}
        self._object = ""
        self.current = None

    def take(self, kind, number, name):
        known = self._objects if kind in ("ob", "cob") else self._functions
        if name:
            known[number] = name
        if kind == "ob":
            self._object = known[number]
        elif kind == "fn":
            function = known[number]
            self.current = (without_symbol(self._object) if function.startswith("0x")
                            else plain(function))


def self_costs(lines):
    """Instructions by function, those of what it calls left out."""
    names, costs = Names(), {}
    calling = False
    for line in lines:
        named = NAMED.match(line)
        if named:
            names.take(*named.groups())
        elif line.startswith("calls="):
            calling = True
        elif names.current is not None:
            cost = COST.match(line)
            if not cost:
                continue
            if calling:  # the line after `calls=` is the callee's
                calling = False
            else:
                costs[names.current] = costs.get(names.current, 0) + int(cost.group(1))
    return costs
