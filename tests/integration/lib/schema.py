"""As much of JSON Schema as docs/status-schema.json uses: type, properties, required, additionalProperties, items, enum, const, $ref."""

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}


def faults(schema, value, at="$", root=None):
    """What is wrong, one line each."""
    root = root or schema
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    unknown = set(schema) - {"$schema", "$id", "$defs", "title", "description", "type", "properties", "required", "additionalProperties", "items", "enum",
                             "const"}
    assert not unknown, f"{at}: the validator does not know {unknown}"
    found = []
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or kind == "integer" and isinstance(value, bool)):
        return [f"{at}: {value!r} is no {kind}"]
    if "const" in schema and value != schema["const"] or "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is not allowed")
    if kind == "object":
        found += [f"{at}.{k}: is missing" for k in schema.get("required", ()) if k not in value]
        for key, one in value.items():
            rule = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
            found += [f"{at}.{key}: is not in the schema"] if rule is False else faults(rule, one, f"{at}.{key}", root)
    if kind == "array":
        for i, one in enumerate(value):
            found += faults(schema.get("items", {}), one, f"{at}[{i}]", root)
    return found
