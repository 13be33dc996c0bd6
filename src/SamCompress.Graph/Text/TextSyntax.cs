using System.Globalization;
using System.Text;

namespace SamCompress.IR.Text;

/// <summary>The lexical rules of ONNX text syntax that printer and parser share.</summary>
internal static class TextSyntax
{
    /// <summary>Graphs inside graphs, and types inside types. Google.Protobuf, which files go through, stops at about 32 graphs.</summary>
    public const int MaxDepth = 30;

    public const string Sequence = "seq";
    public const string Map = "map";
    public const string Optional = "optional";
    public const string SparseTensor = "sparse_tensor";
    public const string Opaque = "opaque";
    public const string Undefined = "undefined";

    /// <summary>UTF-8 that throws on malformed bytes.</summary>
    public static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static bool IsIdentifierStart(char c) => char.IsAsciiLetter(c) || c == '_';

    public static bool IsIdentifierPart(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    public static bool IsIdentifier(string text) => text.Length > 0 && IsIdentifierStart(text[0]) && text.All(IsIdentifierPart);

    public static bool IsTypeWord(string text) =>
        ElementTypes.Parse(text) != ElementType.Undefined || text is Sequence or Map or Optional or SparseTensor or Opaque;

    /// <summary>The words that a number may be, in any case.</summary>
    public static bool IsNumberWord(ReadOnlySpan<char> text) =>
        text.Equals("inf", StringComparison.OrdinalIgnoreCase) || text.Equals("infinity", StringComparison.OrdinalIgnoreCase)
        || text.Equals("nan", StringComparison.OrdinalIgnoreCase);

    /// <summary>The name as it is, or quoted when it is no identifier or could be taken for something else.</summary>
    public static string Name(string name) =>
        IsIdentifier(name) && !IsTypeWord(name) && !IsNumberWord(name) && name != Undefined ? name : Quote(name);

    public static string Quote(string text)
    {
        var result = new StringBuilder(text.Length + 2).Append('"');
        AppendEscaped(result, text);
        return result.Append('"').ToString();
    }

    /// <summary>Quotes bytes that should be UTF-8; those that are not are written as <c>\xHH</c>.</summary>
    public static string Quote(ReadOnlySpan<byte> bytes)
    {
        var result = new StringBuilder(bytes.Length + 2).Append('"');
        while (bytes.Length > 0)
        {
            bool valid = Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            if (valid)
                AppendEscaped(result, rune.ToString());
            else
                AppendHex(result, bytes[..length]);
            bytes = bytes[length..];
        }

        return result.Append('"').ToString();
    }

    private static void AppendEscaped(StringBuilder result, string text)
    {
        foreach (Rune rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '"' or '\\':
                    result.Append('\\').Append((char)rune.Value);
                    break;
                case '\n':
                    result.Append("\\n");
                    break;
                case '\r':
                    result.Append("\\r");
                    break;
                case '\t':
                    result.Append("\\t");
                    break;
                default:
                    if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                        or UnicodeCategory.ParagraphSeparator)
                    {
                        AppendHex(result, Encoding.UTF8.GetBytes(rune.ToString()));
                    }
                    else
                    {
                        result.Append(rune.ToString());
                    }

                    break;
            }
        }
    }

    private static void AppendHex(StringBuilder result, ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
            result.Append("\\x").Append(b.ToString("x2", CultureInfo.InvariantCulture));
    }
}
