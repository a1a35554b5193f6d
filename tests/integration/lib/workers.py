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
