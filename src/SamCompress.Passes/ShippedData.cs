using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using SamCompress.IR;

namespace SamCompress.Passes;

/// <summary>JSON files of one kind that are built in, or of a user's own. Every error of one is a line that says where.</summary>
/// <param name="prefix">The folder of the built-in ones.</param>
/// <param name="kind">For messages, for example <c>target</c>.</param>
/// <param name="document">The file that describes the format.</param>
internal sealed class ShippedData(string prefix, string kind, string document)
{
    private const string Extension = ".json";

    /// <summary>Such a file is a page of text.</summary>
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

    /// <summary>The names of those that are built in, in order.</summary>
    public IReadOnlyList<string> Names { get; } =
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(n => n.StartsWith(prefix, StringComparison.Ordinal))
            .Select(n => Path.GetFileNameWithoutExtension(n[prefix.Length..])).Order(StringComparer.Ordinal)];

    /// <summary>Loads a built-in file by name, or one of a path that ends in .json.</summary>
    /// <param name="validate">Throws <see cref="JsonException"/> when the values contradict each other.</param>
    /// <exception cref="SamCompressException">Usage: there is none of that name, or it cannot be read, or it is none.</exception>
    public T Load<T>(string nameOrPath, Action<T> validate)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(nameOrPath);
        try
        {
            using Stream stream = Open(nameOrPath);
            T loaded = JsonSerializer.Deserialize<T>(stream, Json) ?? throw new JsonException("the file holds null");
            validate(loaded);
            return loaded;
        }
        catch (JsonException e)
        {
            throw Refused(e.LineNumber is { } line ? string.Create(CultureInfo.InvariantCulture, $"{nameOrPath}({line + 1},{e.BytePositionInLine + 1})") : nameOrPath, Message(e), e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refused(nameOrPath, $"the {kind} cannot be read: {e.Message}", e);
        }
    }

    private Stream Open(string nameOrPath) =>
        (nameOrPath.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) ? InputFile.Open(nameOrPath, MaxBytes) : Assembly.GetExecutingAssembly().GetManifestResourceStream(prefix + nameOrPath + Extension))
        ?? throw new SamCompressException(FailureKind.Usage, $"no {kind} '{nameOrPath}'", $"one of {string.Join(", ", Names)}, or a {Extension} file");

    /// <summary>The message without the place, which the location says; with the path in the document where that is known.</summary>
    private static string Message(JsonException e)
    {
        string message = e.Message.ReplaceLineEndings(" ");
        int place = message.IndexOf(" Path: ", StringComparison.Ordinal);
        if (place < 0)
            place = message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        message = place < 0 ? message : message[..place];
        // "The JSON property 'x' could not be mapped to any .NET member contained in type ..." is no help to a user.
        if (message.StartsWith("The JSON property '", StringComparison.Ordinal) && message.IndexOf("' could not be mapped", StringComparison.Ordinal) is > 0 and var end)
            message = $"unknown key {message["The JSON property ".Length..(end + 1)]}";
        return e.Path is null or "$" ? message : $"{e.Path}: {message}";
    }

    private SamCompressException Refused(string where, string message, Exception? inner) =>
        new(FailureKind.Usage, message, $"{document} describes the format", inner) { Location = where };
}
