using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using SamCompress.IR;

namespace SamCompress.Cli.Jobs;

/// <summary>A text file that names layers, one on a line; lines that begin with # are remarks. What <c>--exclude-from</c> reads.</summary>
internal static class LayerList
{
    private const long MostBytes = 1 << 20;

    /// <summary>The names, as <c>--nodes-to-exclude</c> takes them.</summary>
    /// <exception cref="SamCompressException">The file cannot be read, or is too large to be such a list.</exception>
    public static IReadOnlyList<string> Read(string path)
    {
        try
        {
            using var reader = new StreamReader(InputFile.Open(path, MostBytes));
            return [.. reader.ReadToEnd().Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#')];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refused(path, $"the list of layers cannot be read: {e.Message}", e);
        }
    }

    /// <param name="model">For the remark on top.</param>
    public static string Text(string model, IEnumerable<MeasuredLayer> layers)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# The most sensitive layers of {OneLine(model)}, for quantize --exclude-from.\n");
        foreach (MeasuredLayer layer in layers)
        {
            text.Append(CultureInfo.InvariantCulture, $"# {(layer.IouLoss is { } loss ? $"IoU loss {loss.ToString("F5", CultureInfo.InvariantCulture)}, " : "")}SQNR {layer.EmbeddingSqnr:F1} dB\n");
            text.Append(Entry(layer.Name)).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The name, or where it would be read as something else, a regular expression for it.</summary>
    private static string Entry(string name) =>
        name.AsSpan().IndexOfAny("*?\n\r") >= 0 || name.Trim().Length != name.Length || name.StartsWith('#') || name.StartsWith("re:", StringComparison.Ordinal)
            ? $"re:^{Regex.Escape(name)}$"
            : name;

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    private static SamCompressException Refused(string path, string message, Exception? inner) => new(FailureKind.InputRejected, message, null, inner) { Location = path };
}
