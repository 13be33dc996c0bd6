using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using SamCompress.IR;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>Text that is markup already.</summary>
internal readonly record struct Markup(string Text);

/// <summary>
/// A page as it grows. What stands in a string literal is markup; whatever is put into its holes is escaped, so that no name from a model can become markup.
/// </summary>
internal sealed class HtmlText
{
    private readonly StringBuilder _text = new();

    public void Line([InterpolatedStringHandlerArgument("")] Holes markup)
    {
        _ = markup;
        _text.Append('\n');
    }

    public override string ToString() => _text.ToString();

    /// <summary>A line without control characters, in which nothing is markup, within quotes neither.</summary>
    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (char c in SafeText.Line(text))
        {
            _ = c switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                _ => escaped.Append(char.IsSurrogate(c) ? '\uFFFD' : c),
            };
        }

        return escaped.ToString();
    }

    /// <summary>Takes an interpolated string apart.</summary>
    [InterpolatedStringHandler]
    public readonly struct Holes
    {
        private readonly StringBuilder _text;

        public Holes(int literalLength, int formattedCount, HtmlText html)
        {
            _ = (literalLength, formattedCount);
            _text = html._text;
        }

        public void AppendLiteral(string markup) => _text.Append(markup);

        public void AppendFormatted(string? text) => _text.Append(Escape(text ?? ""));

        public void AppendFormatted(Markup markup) => _text.Append(markup.Text);

        public void AppendFormatted<T>(T value, string? format = null)
            where T : IFormattable => _text.Append(Escape(value.ToString(format, CultureInfo.InvariantCulture)));
    }
}
