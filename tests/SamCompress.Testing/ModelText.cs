using SamCompress.IR;
using SamCompress.IR.Text;

namespace SamCompress.Testing;

/// <summary>Models as ONNX text in a raw string.</summary>
public static class ModelText
{
    /// <summary>
    /// Parses a model. When the text has no header (it does not start with &lt;), the model gets IR version 10 and imports
    /// <paramref name="opset"/> of the standard operators and version 1 of com.microsoft.
    /// </summary>
    public static Model Parse(string text, int opset = 21)
    {
        ArgumentNullException.ThrowIfNull(text);
        bool hasHeader = text.AsSpan().TrimStart().StartsWith("<", StringComparison.Ordinal);
        return GraphParser.ParseModel(hasHeader ? text : $"<ir_version: 10, opset_import: [\"\": {opset}, \"com.microsoft\": 1]>\n{text}");
    }

    /// <summary>The graph and the functions as a snapshot shows them: one node per line, types as comments, big tensors as statistics.</summary>
    public static string Print(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        string text = GraphPrinter.Print(model, PrintOptions.Readable);
        return text[(text.IndexOf("\n>\n", StringComparison.Ordinal) + 3)..];
    }
}
