using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;
using SamCompress.IR;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress inspect MODEL</c>: what is in a model.</summary>
internal static class InspectCommand
{
    public static Command Create(CommonOptions common)
    {
        var model = new ModelArgument("The ONNX file to look into.");
        var shapes = new Option<Dictionary<string, Shape>>("--input-shape")
        {
            Description = "Shape of an input whose own is not fixed. May be repeated.",
            HelpName = "NAME:1,3,1024,1024",
            CustomParser = Parse,
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };
        var command = new Command("inspect", "Say what is in a model: nodes, parameters, multiply-accumulate operations, memory.");
        model.AddTo(command);
        command.Options.Add(shapes);
        command.SetAction(parse =>
        {
            InspectReport report = InspectJob.Run(new InspectOptions(model.Of(parse)) { InputShapes = parse.GetValue(shapes) ?? [] });
            common.Write(parse, report, writer => InspectRenderer.Write(report, writer));
            return ExitCodes.Done;
        });
        return command;
    }

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
