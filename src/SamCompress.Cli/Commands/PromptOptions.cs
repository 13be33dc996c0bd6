using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Cli.Commands;

/// <summary>What masks are asked for with: points and boxes, in the pixels of the picture.</summary>
internal sealed class PromptOptions
{
    private readonly Option<Prompt[]?> _points = new("--point")
    {
        Description = "A mask at this point. 0 as third number says that the object is not there; points of one mask are joined by ':'.",
        HelpName = "X,Y[,0|1][:X,Y...]",
        CustomParser = result => Parse(result, "--point", "write X,Y or X,Y,1 for the object and X,Y,0 for what is not part of it", Points),
    };

    private readonly Option<Prompt[]?> _boxes = new("--box")
    {
        Description = "A mask of what is in this box.",
        HelpName = "L,T,R,B",
        CustomParser = result => Parse(result, "--box", "write four numbers: left, top, right, bottom", Box),
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_points);
        command.Options.Add(_boxes);
    }

    public IReadOnlyList<Prompt> Of(ParseResult parse) => [.. parse.GetValue(_points) ?? [], .. parse.GetValue(_boxes) ?? []];

    public bool IsGiven(CommandResult result) => result.IsGiven(_points) || result.IsGiven(_boxes);

    private static Prompt[]? Parse(ArgumentResult result, string name, string wanted, Func<string, Prompt?> parse)
    {
        Prompt?[] prompts = [.. result.Tokens.Select(t => parse(t.Value))];
        int wrong = Array.IndexOf(prompts, null);
        if (wrong < 0)
            return prompts!;
        result.AddError($"'{result.Tokens[wrong].Value}' is no value of {name}: {wanted}.");
        return null;
    }

    private static Prompt? Points(string text)
    {
        var points = new List<PromptPoint>();
        foreach (string part in text.Split(':'))
        {
            switch (NumbersOf(part))
            {
                case [var x, var y]:
                    points.Add(new PromptPoint(x, y));
                    break;
                case [var x, var y, var label] when label is 0 or 1:
                    points.Add(new PromptPoint(x, y, label > 0));
                    break;
                default:
                    return null;
            }
        }

        return points.Exists(p => p.IsForeground) ? new Prompt { Points = points } : null;
    }

    private static Prompt? Box(string text) =>
        NumbersOf(text) is [var left, var top, var right, var bottom] && left < right && top < bottom ? Prompt.Around(left, top, right, bottom) : null;

    private static double[] NumbersOf(string text)
    {
        const NumberStyles style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign;
        string[] parts = text.Split(',');
        double[] numbers = [.. parts.Select(p => double.TryParse(p, style, CultureInfo.InvariantCulture, out double number) ? number : double.NaN)];
        return numbers.Any(double.IsNaN) ? [] : numbers;
    }
}
