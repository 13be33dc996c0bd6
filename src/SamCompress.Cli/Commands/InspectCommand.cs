using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress inspect MODEL</c>: what is in a model.</summary>
internal static class InspectCommand
{
    public static Command Create(CommonOptions common)
    {
        var model = new ModelArgument("The ONNX file to look into.");
        var shapes = new InputShapeOption();
        var command = new Command("inspect", "Say what is in a model: nodes, parameters, multiply-accumulate operations, memory.");
        model.AddTo(command);
        shapes.AddTo(command);
        command.SetAction(parse =>
        {
            InspectReport report = InspectJob.Run(new InspectOptions(model.Of(parse)) { InputShapes = shapes.Of(parse) });
            common.Write(parse, report, writer => InspectRenderer.Write(report, writer));
            return ExitCodes.Done;
        });
        return command;
    }
}
