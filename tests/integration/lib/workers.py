"""Texts of workers files."""


def ajp13(**workers):
    """ajp13(w=8009, v={"port": 8010, "reply_timeout": 300}) -> the text of a workers file that lists them all."""
    lines = ["worker.list=" + ",".join(workers)]
    for name, keys in workers.items():
        if not isinstance(keys, dict):
            keys = {"port": keys}
        lines.append(f"worker.{name}.type=ajp13")
        if "host" not in keys:
            lines.append(f"worker.{name}.host=127.0.0.1")
        lines += [f"worker.{name}.{key}={value}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def lb(name, members, keys=None, **common):
    """lb("b", {"m1": 8009, "m2": {"port": 8010, "lbfactor": 2}}, {"retries": 1}) -> the text of an lb worker and its members."""
    lines = [f"worker.list={name}", f"worker.{name}.type=lb", f"worker.{name}.balance_workers=" + ",".join(members)]
    lines += [f"worker.{name}.{key}={value}" for key, value in (keys or {}).items()]
    for member, own in members.items():
        own = dict(own) if isinstance(own, dict) else {"port": own}
        own = {"type": "ajp13", "host": "127.0.0.1", **common, **own}
        lines += [f"worker.{member}.{key}={value}" for key, value in own.items()]
    return "\n".join(lines) + "\n"
