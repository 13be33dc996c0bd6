using System.Globalization;
using System.Text;

namespace SamCompress.IR.Text;

/// <summary>Reads the tokens of ONNX text syntax. Spaces and comments (from <c>#</c> to the end of the line) separate them.</summary>
internal sealed class TextScanner(string text)
{
    private int _position;

    public bool AtEnd
    {
        get
        {
            SkipSpace();
            return _position == text.Length;
        }
    }

    /// <summary>The next character that is no space, or NUL at the end.</summary>
    public char Next => AtEnd ? '\0' : text[_position];

    public bool TryTake(char c)
    {
        if (Next != c || AtEnd)
            return false;
        _position++;
        return true;
    }

    public void Take(char c)
    {
        if (!TryTake(c))
            throw Error($"expected '{c}'");
    }

    public void TakeArrow()
    {
        if (Next != '=' || _position + 1 >= text.Length || text[_position + 1] != '>')
            throw Error("expected '=>'");
        _position += 2;
    }

    /// <summary>The identifier that comes next, without taking it, or an empty string.</summary>
    public string PeekIdentifier()
    {
        int end = IdentifierEnd();
        return text[_position..end];
    }

    /// <summary>The character behind the identifier that comes next.</summary>
    public char PeekBehindIdentifier()
    {
        int end = IdentifierEnd();
        while (end < text.Length && char.IsWhiteSpace(text[end]))
            end++;
        return end < text.Length ? text[end] : '\0';
    }

    public string Identifier()
    {
        string identifier = PeekIdentifier();
        if (identifier.Length == 0)
            throw Error("expected an identifier");
        _position += identifier.Length;
        return identifier;
    }

    /// <summary>An identifier or a quoted string.</summary>
    public string Name() => TryName() ?? throw Error("expected a name");

    public string? TryName() => Next == '"' ? Text() : PeekIdentifier().Length > 0 ? Identifier() : null;

    /// <summary>A quoted string as text.</summary>
    public string Text()
    {
        int start = _position;
        try
        {
            return TextSyntax.StrictUtf8.GetString(TextBytes());
        }
        catch (DecoderFallbackException)
        {
            _position = start;
            throw Error("the string is not valid UTF-8");
        }
    }

    /// <summary>
    /// A quoted string as bytes. A backslash before <c>n</c>, <c>r</c>, <c>t</c> stands for the control character, <c>\xHH</c>
    /// for a byte, and before every other character for that character.
    /// </summary>
    public byte[] TextBytes()
    {
        Take('"');
        int start = _position - 1;
        var result = new MemoryStream();
        while (true)
        {
            int run = _position;
            while (run < text.Length && text[run] is not ('"' or '\\'))
                run++;
            result.Write(Encoding.UTF8.GetBytes(text, _position, run - _position));
            _position = run;
            if (run == text.Length || (text[run] == '\\' && run + 1 == text.Length))
            {
                _position = start;
                throw Error("the string has no end");
            }

            _position++;
            if (text[run] == '"')
                return result.ToArray();
            result.Write(Escape());
        }
    }

    /// <summary>A number as written: digits with an optional fraction and exponent, <c>inf</c>, <c>nan</c>, or <c>0x</c> and a bit pattern.</summary>
    public ReadOnlySpan<char> Number(out bool isInteger)
    {
        SkipSpace();
        int start = _position;
        int end = start;
        if (At(end) == '-')
            end++;
        isInteger = false;
        if (TextSyntax.IsIdentifierStart(At(end)))
        {
            int word = end;
            while (TextSyntax.IsIdentifierPart(At(end)))
                end++;
            if (!TextSyntax.IsNumberWord(text.AsSpan(word, end - word)))
                throw Error("expected a number");
        }
        else if (At(end) == '0' && At(end + 1) == 'x')
        {
            end += 2;
            while (char.IsAsciiHexDigit(At(end)))
                end++;
        }
        else
        {
            if (!char.IsAsciiDigit(At(end)))
                throw Error("expected a number");
            isInteger = true;
            while (char.IsAsciiDigit(At(end)))
                end++;
            if (At(end) == '.')
            {
                isInteger = false;
                end++;
                while (char.IsAsciiDigit(At(end)))
                    end++;
            }

            if (At(end) is 'e' or 'E')
            {
                isInteger = false;
                end++;
                if (At(end) is '+' or '-')
                    end++;
                while (char.IsAsciiDigit(At(end)))
                    end++;
            }
        }

        _position = end;
        return text.AsSpan(start, end - start);
    }

    /// <summary>Whether the number that comes next has neither fraction nor exponent.</summary>
    public bool NextIsInteger()
    {
        int start = _position;
        _ = Number(out bool isInteger);
        _position = start;
        return isInteger;
    }

    public long Integer()
    {
        int start = _position;
        if (long.TryParse(Number(out bool isInteger), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) && isInteger)
            return value;
        _position = start;
        throw Error("expected an integer of 64 bits");
    }

    /// <summary>An error at the place of the next token.</summary>
    public SamCompressException Error(string message)
    {
        SkipSpace();
        int line = 1;
        int lineStart = 0;
        for (int i = 0; i < _position; i++)
        {
            if (text[i] != '\n')
                continue;
            line++;
            lineStart = i + 1;
        }

        int end = _position;
        while (end < text.Length && end < _position + 20 && !char.IsControl(text[end]))
            end++;
        string found = _position == text.Length ? "the text ends" : $"found '{text[_position..end]}'";
        return new SamCompressException(
            FailureKind.InputRejected,
            string.Create(CultureInfo.InvariantCulture, $"line {line}, column {_position - lineStart + 1}: {message}, {found}"));
    }

    private char At(int position) => position < text.Length ? text[position] : '\0';

    /// <summary>Skips space, then finds the end of the identifier there.</summary>
    private int IdentifierEnd()
    {
        SkipSpace();
        int end = _position;
        if (TextSyntax.IsIdentifierStart(At(end)))
        {
            while (TextSyntax.IsIdentifierPart(At(end)))
                end++;
        }

        return end;
    }

    private byte[] Escape()
    {
        char c = text[_position++];
        switch (c)
        {
            case 'n':
                return [(byte)'\n'];
            case 'r':
                return [(byte)'\r'];
            case 't':
                return [(byte)'\t'];
            case 'x':
                if (!char.IsAsciiHexDigit(At(_position)) || !char.IsAsciiHexDigit(At(_position + 1)))
                    throw Error("expected two hexadecimal digits behind \\x");
                _position += 2;
                return [byte.Parse(text.AsSpan(_position - 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)];
            default:
                return Encoding.UTF8.GetBytes(char.IsHighSurrogate(c) && char.IsLowSurrogate(At(_position)) ? $"{c}{text[_position++]}" : $"{c}");
        }
    }

    private void SkipSpace()
    {
        while (_position < text.Length)
        {
            if (char.IsWhiteSpace(text[_position]))
            {
                _position++;
            }
            else if (text[_position] == '#')
            {
                while (_position < text.Length && text[_position] != '\n')
                    _position++;
            }
            else
            {
                return;
            }
        }
    }
}
