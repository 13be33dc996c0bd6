using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress inspect MODEL</c>: what is in a model, and what changed from one to another.</summary>
internal static class InspectCommand
{
    public static Command Create(CommonOptions common)
    {
        var model = new ModelArgument("The ONNX file to look into.");
        var shapes = new InputShapeOption();
        var compare = new Option<string?>("--compare") { Description = "What became of the model: shows both side by side.", HelpName = "OTHER" };
        var nodes = new Option<bool>("--nodes") { Description = "List what every node costs, most operations first." };
        var command = new Command("inspect", "Say what is in a model: nodes, parameters, multiply-accumulate operations, memory.");
        model.AddTo(command);
        shapes.AddTo(command);
        command.Options.Add(compare);
        command.Options.Add(nodes);
        command.Validators.Add(result =>
        {
            if (result.IsGiven(nodes) && result.IsGiven(compare))
                result.AddError("--nodes lists one model: leave out --compare.");
        });
        command.SetAction(parse =>
        {
            var options = new InspectOptions(model.Of(parse)) { Reading = common.Reading.Of(parse), InputShapes = shapes.Of(parse) };
            if (parse.GetValue(compare) is { } other)
            {
                InspectComparison comparison = InspectJob.Compare(options, other);
                common.Write(parse, comparison, writer => InspectRenderer.Write(comparison, writer));
            }
            else
            {
                InspectReport report = InspectJob.Run(options);
                common.Write(parse, report, writer => InspectRenderer.Write(report, parse.GetValue(nodes), writer));
                return common.ExitCode(parse, met: true, report.Findings);
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
