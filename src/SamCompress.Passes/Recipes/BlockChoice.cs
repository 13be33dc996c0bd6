using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using SamCompress.Passes.Attention;

namespace SamCompress.Passes.Recipes;

/// <summary>Which self-attentions a step of a recipe is for: those with some numbers, all that are global, or as many of these as a gate lets through.</summary>
[JsonConverter(typeof(Converter))]
public sealed record BlockChoice
{
    private BlockChoice()
    {
    }

    /// <summary>All attentions of all tokens.</summary>
    public static BlockChoice Global { get; } = new();

    /// <summary>As many of the global ones as a gate lets through, those first that cost least.</summary>
    public static BlockChoice Auto { get; } = new() { IsAuto = true };

    /// <summary>Null when no numbers were given.</summary>
    public IReadOnlyList<int>? Numbers { get; private init; }

    public bool IsAuto { get; private init; }

    /// <summary>The selection; for <see cref="Auto"/> all that may be chosen from.</summary>
    public AttentionSelection Selection => new(Numbers);

    public static BlockChoice Of(params IReadOnlyList<int> numbers) => new() { Numbers = numbers };

    /// <summary>Reads <c>global</c>, <c>auto</c>, or numbers with commas between them.</summary>
    /// <returns>Null when it is none of these.</returns>
    public static BlockChoice? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text is "global" or "auto")
            return text == "auto" ? Auto : Global;
        var numbers = new List<int>();
        foreach (string part in text.Split(','))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
                return null;
            numbers.Add(number);
        }

        return Of(numbers);
    }

    public override string ToString() => IsAuto ? "auto" : Numbers is null ? "global" : string.Join(',', Numbers);

    private sealed class Converter : JsonConverter<BlockChoice>
    {
        public override BlockChoice Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String && reader.GetString() is "global" or "auto")
                return Parse(reader.GetString()!)!;
            if (reader.TokenType != JsonTokenType.StartArray)
                throw new JsonException("blocks are \"global\", \"auto\" or a list of numbers");
            var numbers = new List<int>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out int number) || number < 0)
                    throw new JsonException("blocks are whole numbers from 0 on");
                numbers.Add(number);
            }

            return numbers.Count > 0 ? Of(numbers) : throw new JsonException("the list of blocks is empty");
        }

        public override void Write(Utf8JsonWriter writer, BlockChoice value, JsonSerializerOptions options)
        {
            if (value.Numbers is null)
                writer.WriteStringValue(value.ToString());
            else
                JsonSerializer.Serialize(writer, value.Numbers, options);
        }
    }
}
