"""Looks up many references with python-dxf.

Each thread has a session, which keeps the connections. Each repository has its own login, because
dxf works that way. Prints one line per reference: "REFERENCE DIGEST".
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from dxf import DXF, DXFBase


def main(file, workers, user, password, ca):
    with open(file, encoding="utf-8") as lines:
        references = lines.read().split()
    repositories = {}
    for reference in references:
        name, tag = reference.rsplit(":", 1)
        repositories.setdefault(name, []).append(tag)

    def log_in(dxf, response):
        dxf.authenticate(user, password, response=response)

    # Threads can't share a session.
    own = threading.local()

    def heads(name):
        host, repository = name.split("/", 1)
        if not hasattr(own, "base"):
            own.base = DXFBase(host, log_in, tlsverify=ca)
            own.base.__enter__()
        dxf = DXF.from_base(own.base, repository)
        found = []
        for tag in repositories[name]:
            digest, _ = dxf.head_manifest_and_response(tag)
            found.append(f"{name}:{tag} {digest}")
        return found

    with ThreadPoolExecutor(int(workers)) as pool:
        for found in pool.map(heads, repositories):
            print("\n".join(found))


main(*sys.argv[1:])
