using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress optimize MODEL -o FILE</c>: the same computation in fewer nodes.</summary>
internal static class OptimizeCommand
{
    public static Command Create(CommonOptions common)
    {
        var model = new ModelArgument("The ONNX file to optimize.");
        var output = new OutputOptions(required: true, "");
        var delivery = new DeliveryOptions(bundles: false);
        Option<string> target = PrecisionOptions.TargetOption();
        var command = new Command("optimize", "Turn an exporter's graph into a small one that computes the same.");
        model.AddTo(command);
        output.AddTo(command);
        delivery.AddTo(command);
        command.Options.Add(target);
        command.SetAction(parse =>
        {
            var options = new OptimizeOptions(model.Of(parse), output.Output(parse)!)
            {
                Reading = common.Reading.Of(parse),
                Overwrite = output.Overwrite(parse),
                ExternalData = output.ExternalData(parse),
                Preprocessing = delivery.Preprocessing(parse),
                Target = parse.GetRequiredValue(target),
            };
            using ConsoleProgress progress = common.Progress(parse);
            OptimizeReport report = OptimizeJob.Run(options, progress, common.Context.Cancellation);
            progress.Clear();
            common.Write(parse, report, writer => OptimizeRenderer.Write(report, writer, parse.GetValue(common.Verbose)));
            return common.ExitCode(parse, met: true, report.Diagnostics);
        });
        return command;
    }
}
