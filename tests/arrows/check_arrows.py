#!/usr/bin/env python3
"""The arrows of docs/architecture.md, checked on what the sources include and on what CMake links.

A room may include its own headers and those of rooms right of it, transitively (cmake/Rooms.cmake is the table).
Plugins see the SDK only. The rooms without LibTorch include no ATen, torch or c10 header."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
NO_ATEN = {"base", "text", "weights", "study", "store", "report", "host_stamp", "exec_spool", "cli_light", "hub", "hub_pull", "cli_pull"}
# Headers of macros and constants, open to every room: plain C, no LibTorch.
OPEN = {"diopter/abi.h", "diopter/reserved_keys.hpp", "diopter/stamp.hpp", "diopter/sdk_hash.hpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)


def arrows():
    table = {}
    for line in (ROOT / "cmake/Rooms.cmake").read_text().splitlines():
        found = re.match(r"set\(DIOPTER_ARROWS_(\w+)\s+([^)#]*)\)", line)
        if found:
            table[found.group(1)] = found.group(2).replace('"', "").split()
    return table


def reachable(table, room):
    seen, todo = set(), [room]
    while todo:
        for target in table.get(todo.pop(), []):
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def room_sources():
    """room -> its files, from the diopter_room() calls; headers beside a source belong to the rooms of that folder."""
    rooms = {}
    for path in sorted((ROOT / "core").glob("*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", path.read_text())
        for call in re.finditer(r"diopter_room\(\s*(\w+)(.*?)\)", text, re.S):
            name, body = call.groups()
            sources = re.search(r"SOURCES(.*?)(?=\b(?:USES|LINK|PCH)\b|$)", body, re.S)
            words = [w for w in (sources.group(1).split() if sources else []) if w.endswith(".cpp")]
            rooms[name] = [path.parent / w for w in words]
        for call in re.finditer(r"add_executable\(\s*([\w-]+)\s+(\w+\.cpp)\)", text):  # a program belongs to the room it links
            linked = re.search(rf"target_link_libraries\({call.group(1)} PRIVATE diopter_(\w+)", text)
            rooms.setdefault(linked.group(1), []).append(path.parent / call.group(2))
    return rooms


def main():
    table, problems, checked = arrows(), [], 0
    rooms = room_sources()
    owner = {}
    for room, files in rooms.items():
        for file in files:
            owner[file.with_suffix("")] = room
    folders = {}
    for room, files in rooms.items():
        for file in files:
            folders.setdefault(file.parent.relative_to(ROOT / "core").parts[0], set()).add(room)
    for path in sorted((ROOT / "core").rglob("*.[ch]pp")):
        folder = path.relative_to(ROOT / "core").parts[0]
        mine = {owner[path.with_suffix("")]} if path.with_suffix("") in owner else folders.get(folder, set())
        if not mine:
            continue
        allowed = set.intersection(*({room} | reachable(table, room) for room in mine)) | (mine if len(mine) == 1 else set())
        for include in INCLUDE.findall(path.read_text()):
            checked += 1
            first = include.split("/")[0]
            where = f"{path.relative_to(ROOT)} includes {include}"
            if first in ("diopter", "diopter_host") and include not in OPEN:
                if "sdk" not in allowed:
                    problems.append(f"{where}: room {'/'.join(sorted(mine))} may not use the SDK")
            elif first in ("ATen", "torch", "c10"):
                if mine & NO_ATEN:
                    problems.append(f"{where}: room {'/'.join(sorted(mine))} must not need LibTorch")
            elif (ROOT / "core" / first).is_dir() and first != folder:
                target = ROOT / "core" / include
                targets = {owner[target.with_suffix("")]} if target.with_suffix("") in owner else folders.get(first, {first})
                if not targets & allowed:
                    problems.append(f"{where}: no arrow from {'/'.join(sorted(mine))} to {'/'.join(sorted(targets))}")
    for path in sorted((ROOT / "plugins").rglob("*.[ch]pp")):
        for include in INCLUDE.findall(path.read_text()):
            checked += 1
            first = include.split("/")[0]
            if first == "diopter_host" or (ROOT / "core" / first).is_dir():
                problems.append(f"{path.relative_to(ROOT)} includes {include}: plugins see the SDK only")
    for room, targets in table.items():
        if room in reachable(table, room):
            problems.append(f"room {room} reaches itself: a cycle")
    for problem in problems:
        print("error:", problem)
    print(f"arrows: {checked} includes in {len(rooms)} rooms checked, {len(problems)} problems")
    return 1 if problems or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
