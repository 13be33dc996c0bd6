using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SamCompress.Passes.Recipes;

/// <summary>Reads recipes; every error is one line that says where.</summary>
internal static class RecipeFile
{
    private static readonly ShippedData Shipped = new("recipes/", "recipe");

    /// <summary>A recipe is a page of text.</summary>
    private const int MaxBytes = 1 << 20;

    internal static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    public static IReadOnlyList<string> BuiltIn => Shipped.Names;

    public static Recipe Load(string nameOrPath)
    {
        ArgumentNullException.ThrowIfNull(nameOrPath);
        try
        {
            using Stream stream = Shipped.Open(nameOrPath);
            if (stream.Length > MaxBytes)
                throw Refused(nameOrPath, "the file is no recipe: it has more than a megabyte", null);
            Recipe recipe = JsonSerializer.Deserialize<Recipe>(stream, Json) ?? throw new JsonException("the file holds null");
            recipe.Validate();
            return recipe;
        }
        catch (JsonException e)
        {
            throw Refused(e.LineNumber is { } line ? string.Create(CultureInfo.InvariantCulture, $"{nameOrPath}({line + 1},{e.BytePositionInLine + 1})") : nameOrPath, Message(e), e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refused(nameOrPath, "the recipe cannot be read", e);
        }
    }

    /// <summary>The message without the place, which the location says; with the path in the document where that is known.</summary>
    private static string Message(JsonException e)
    {
        string message = e.Message.ReplaceLineEndings(" ");
        int place = message.IndexOf(" Path: ", StringComparison.Ordinal);
        if (place < 0)
            place = message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        message = place < 0 ? message : message[..place];
        return e.Path is null or "$" ? message : $"{e.Path}: {message}";
    }

    private static SamCompressException Refused(string where, string message, Exception? inner) =>
        new(FailureKind.Usage, message, "docs/recipes.md describes the format", inner) { Location = where };
}
