using System.Text.Json;
using System.Text.Json.Nodes;

namespace SamCompress.Testing;

/// <summary>Holds JSON to a schema, as far as the schemas in <c>docs/schemas</c> go. A keyword that it does not know is an error, not passed over.</summary>
public static class JsonSchemaCheck
{
    private static readonly HashSet<string> Remarks = ["$schema", "title", "description", "default"];

    /// <summary>What is wrong, each with the path of the value; empty when nothing is.</summary>
    public static IReadOnlyList<string> Violations(JsonNode schema, JsonNode? value)
    {
        var found = new List<string>();
        Check(schema, schema, value, "$", found);
        return found;
    }

    private static void Check(JsonNode root, JsonNode schema, JsonNode? value, string path, List<string> found)
    {
        foreach ((string keyword, JsonNode? rule) in schema.AsObject())
        {
            switch (keyword)
            {
                case "$ref":
                    Check(root, Resolve(root, rule!.GetValue<string>()), value, path, found);
                    break;
                case "type":
                    if (!Types(rule!).Any(t => Is(t, value)))
                        found.Add($"{path} is {value?.GetValueKind().ToString() ?? "null"}, not {rule!.ToJsonString()}");
                    break;
                case "enum":
                    if (!rule!.AsArray().Any(allowed => JsonNode.DeepEquals(allowed, value)))
                        found.Add($"{path} is none of {rule.ToJsonString()}");
                    break;
                case "anyOf":
                    if (!rule!.AsArray().Any(choice => Fits(root, choice!, value)))
                        found.Add($"{path} fits none of {rule.ToJsonString()}");
                    break;
                case "minimum":
                    if (value is JsonValue number && number.GetValue<double>() < rule!.GetValue<double>())
                        found.Add($"{path} is less than {rule}");
                    break;
                case "required":
                    if (value is JsonObject given)
                        found.AddRange(rule!.AsArray().Select(n => n!.GetValue<string>()).Where(n => !given.ContainsKey(n)).Select(n => $"{path} lacks {n}"));
                    break;
                case "properties" or "additionalProperties":
                    break;
                case "items":
                    if (value is JsonArray items)
                    {
                        for (int i = 0; i < items.Count; i++)
                            Check(root, rule!, items[i], $"{path}[{i}]", found);
                    }

                    break;
                case "minItems":
                    if (value is JsonArray list && list.Count < rule!.GetValue<int>())
                        found.Add($"{path} has fewer than {rule} items");
                    break;
                default:
                    if (!Remarks.Contains(keyword))
                        throw new NotSupportedException($"the schema keyword {keyword} at {path}");
                    break;
            }
        }

        if (value is JsonObject members)
            CheckMembers(root, schema, members, path, found);
    }

    private static void CheckMembers(JsonNode root, JsonNode schema, JsonObject members, string path, List<string> found)
    {
        foreach ((string name, JsonNode? member) in members)
        {
            if (schema["properties"]?[name] is { } own)
                Check(root, own, member, $"{path}.{name}", found);
            else if (schema["additionalProperties"] is JsonObject others)
                Check(root, others, member, $"{path}.{name}", found);
            else if (schema["additionalProperties"] is JsonValue allowed && !allowed.GetValue<bool>())
                found.Add($"{path} has an unknown member {name}");
        }
    }

    private static bool Fits(JsonNode root, JsonNode schema, JsonNode? value)
    {
        var found = new List<string>();
        Check(root, schema, value, "", found);
        return found.Count == 0;
    }

    /// <summary>A JSON pointer (RFC 6901) within the schema.</summary>
    private static JsonNode Resolve(JsonNode root, string pointer)
    {
        JsonNode node = root;
        foreach (string part in pointer.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            string name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            node = node[name] ?? throw new NotSupportedException($"the schema has no {pointer}");
        }

        return node;
    }

    private static IEnumerable<string> Types(JsonNode rule) => rule is JsonArray several ? several.Select(t => t!.GetValue<string>()) : [rule.GetValue<string>()];

    private static bool Is(string type, JsonNode? value) => type switch
    {
        "null" => value is null,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => value?.GetValueKind() == JsonValueKind.String,
        "boolean" => value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
        "number" => value?.GetValueKind() == JsonValueKind.Number,
        "integer" => value is JsonValue number && value.GetValueKind() == JsonValueKind.Number && number.GetValue<JsonElement>().TryGetInt64(out _),
        _ => throw new NotSupportedException($"the type {type}"),
    };
}
