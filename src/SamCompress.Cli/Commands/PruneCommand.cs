using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress prune MODEL -o FILE --ratio R</c>: a narrower encoder, repaired and judged by its masks.</summary>
internal static class PruneCommand
{
    public static Command Create(CommonOptions common)
    {
        var model = new ModelArgument("The image encoder to prune, an ONNX file.");
        var output = new OutputOptions(required: true, "");
        var pruning = new PruningChoice();
        var pictures = new PictureOptions();
        var execution = new ExecutionOptions(common);
        var gates = new GateOptions();
        var noRepair = new Option<bool>("--no-repair") { Description = "Leave the layers behind as they are." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say which channels would go, and write nothing." };
        var command = new Command("prune", "Take the channels away that matter least, refit the layers behind, and judge it by its masks.");
        model.AddTo(command);
        output.AddTo(command);
        pruning.AddTo(command);
        pictures.AddTo(command);
        execution.AddTo(command);
        gates.AddTo(command);
        command.Options.Add(noRepair);
        command.Options.Add(dryRun);
        command.SetAction(parse =>
        {
            var options = new PruneOptions
            {
                Model = model.Of(parse),
                Output = output.Output(parse)!,
                Pruning = pruning.Of(parse),
                Importance = pruning.Importance(parse),
                Seed = pruning.Seed(parse),
                Repair = !parse.GetValue(noRepair),
                Overwrite = output.Overwrite(parse),
                ExternalData = output.ExternalData(parse),
                Decoder = gates.Decoder(parse),
                Calibration = pictures.Of(parse),
                Execution = execution.Of(parse),
                MinMeanIou = gates.MinMeanIou(parse),
                MaxDrop = gates.MaxDrop(parse),
                DryRun = parse.GetValue(dryRun),
            };
            using ConsoleProgress progress = common.Progress(parse);
            PruneReport report = new PruneJob(options, progress, common.Context.Cancellation).Run();
            progress.Clear();
            common.Write(parse, report, writer => PruneRenderer.Write(report, writer, parse.GetValue(common.Verbose)), () => PruneMarkdown.Render(report));
            return common.ExitCode(parse, report.GatesMet, report.Diagnostics);
        });
        return command;
    }
}
