using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using SamCompress.IR;

namespace SamCompress.Cli.Commands;

/// <summary>Shapes for inputs that have none of their own.</summary>
internal sealed class InputShapeOption
{
    private readonly Option<Dictionary<string, Shape>> _option = new("--input-shape")
    {
        Description = "Shape of an input whose own is not fixed. May be repeated.",
        HelpName = "NAME:1,3,1024,1024",
        CustomParser = Parse,
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    public void AddTo(Command command) => command.Options.Add(_option);

    public IReadOnlyDictionary<string, Shape> Of(ParseResult parse) => parse.GetValue(_option) ?? [];

    private static Dictionary<string, Shape> Parse(ArgumentResult result)
    {
        var shapes = new Dictionary<string, Shape>(StringComparer.Ordinal);
        foreach (string text in result.Tokens.Select(t => t.Value))
        {
            int colon = text.LastIndexOf(':');
            var dimensions = new List<long>();
            foreach (string part in colon < 0 ? [] : text[(colon + 1)..].Split(',', 'x'))
                dimensions.Add(long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long d) ? d : -1);
            if (colon <= 0 || dimensions.Contains(-1))
                result.AddError($"'{text}' is no input shape: write NAME:1,3,1024,1024.");
            else
                shapes[text[..colon]] = Shape.Of([.. dimensions]);
        }

        return shapes;
    }
}
