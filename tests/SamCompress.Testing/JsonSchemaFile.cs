using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using System.Xml.Linq;
using Xunit;

namespace SamCompress.Testing;

/// <summary>The JSON Schemas in <c>docs/schemas</c>, which are made from types and their comments.</summary>
public static class JsonSchemaFile
{
    private static readonly ConcurrentDictionary<Assembly, IReadOnlyDictionary<string, XElement>> Comments = new();
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Folder => Path.Combine(SkeletonModels.RepositoryRoot, "docs", "schemas");

    public static JsonNode Read(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, name + ".schema.json")))!;

    /// <summary>Fails when the published schema is not that of the type, and leaves the new one beside it.</summary>
    /// <param name="options">Those that values of the type are read or written with.</param>
    /// <param name="isWritten">Whether we write such files: then no property is ever missing.</param>
    /// <param name="special">The schemas of types that write themselves.</param>
    public static void AssertCurrent(string name, Type type, JsonSerializerOptions options, bool isWritten, IReadOnlyDictionary<Type, string> special)
    {
        string path = Path.Combine(Folder, name + ".schema.json"), received = Path.Combine(Folder, name + ".schema.received.json");
        string text = Of(name, type, options, isWritten, special).ToJsonString(Indented) + "\n";
        if (File.Exists(path) && File.ReadAllText(path).ReplaceLineEndings("\n") == text)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        Assert.Fail($"docs/schemas/{name}.schema.json is stale: mv docs/schemas/{name}.schema.received.json docs/schemas/{name}.schema.json");
    }

    private static JsonObject Of(string name, Type type, JsonSerializerOptions options, bool isWritten, IReadOnlyDictionary<Type, string> special)
    {
        options = new JsonSerializerOptions(options) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
        var exporter = new JsonSchemaExporterOptions
        {
            TreatNullObliviousAsNonNullable = true,
            TransformSchemaNode = (context, node) => Transform(context, node, isWritten, special),
        };
        var schema = new JsonObject { ["$schema"] = "https://json-schema.org/draft/2020-12/schema", ["title"] = $"samcompress {name.Replace('-', ' ')}" };
        foreach ((string key, JsonNode? value) in (JsonObject)options.GetJsonSchemaAsNode(type, exporter))
            schema[key] = value?.DeepClone();
        return schema;
    }

    private static JsonNode Transform(JsonSchemaExporterContext context, JsonNode node, bool isWritten, IReadOnlyDictionary<Type, string> special)
    {
        Type type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        JsonObject schema = special.TryGetValue(type, out string? own) ? (JsonObject)JsonNode.Parse(own)! : node as JsonObject ?? [];
        if (schema["properties"] is JsonObject properties)
        {
            schema["additionalProperties"] = false;
            if (isWritten)
                schema["required"] = new JsonArray([.. properties.Select(p => (JsonNode)p.Key)]);
        }

        if (Description(context) is { Length: > 0 } description)
            schema.Insert(0, "description", description);
        return schema;
    }

    /// <summary>What is said of a property; else of its type, where that is ours.</summary>
    private static string? Description(JsonSchemaExporterContext context)
    {
        Type type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        string? ofProperty = context.PropertyInfo?.AttributeProvider is PropertyInfo property
            ? Summary($"P:{Name(property.DeclaringType!)}.{property.Name}", property.DeclaringType!) ?? Parameter(property)
            : null;
        return ofProperty ?? (type.Namespace?.StartsWith("SamCompress", StringComparison.Ordinal) == true ? Summary($"T:{Name(type)}", type) : null);
    }

    private static string? Summary(string member, Type type) =>
        Of(type).GetValueOrDefault(member)?.Element("summary") is { } summary ? XmlComments.Text(summary) : null;

    /// <summary>Of a property that a parameter of a record made.</summary>
    private static string? Parameter(PropertyInfo property) =>
        Of(property.DeclaringType!).GetValueOrDefault($"T:{Name(property.DeclaringType!)}")?.Elements("param").FirstOrDefault(p => p.Attribute("name")?.Value == property.Name) is { } parameter
            ? XmlComments.Text(parameter)
            : null;

    private static string Name(Type type) => type.FullName!.Replace('+', '.');

    private static IReadOnlyDictionary<string, XElement> Of(Type type) => Comments.GetOrAdd(type.Assembly, XmlComments.Of);
}
