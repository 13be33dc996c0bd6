using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress rewrite MODEL -o FILE</c>: attention that costs less, repaired and judged by its masks.</summary>
internal static class RewriteCommand
{
    public static Command Create(CommonOptions common)
    {
        var model = new ModelArgument("The image encoder to rewrite, an ONNX file.");
        var output = new OutputOptions(required: true, "");
        var step = new RewriteStepOptions();
        var pictures = new PictureOptions();
        var execution = new ExecutionOptions(common);
        var gates = new GateOptions("Exit with 1 when the mean mask IoU is lower; --blocks auto keeps to it.");
        var dryRun = new Option<bool>("--dry-run") { Description = "Say which attentions would be rewritten, and write nothing." };
        var command = new Command("rewrite", "Replace attention by a cheaper one, refit the layers behind, and judge it by its masks.");
        model.AddTo(command);
        output.AddTo(command);
        step.AddTo(command, gates.AreGiven);
        pictures.AddTo(command);
        execution.AddTo(command);
        gates.AddTo(command);
        command.Options.Add(dryRun);
        command.SetAction(parse =>
        {
            var options = new RewriteOptions
            {
                Model = model.Of(parse),
                Output = output.Output(parse)!,
                Step = step.Of(parse),
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
            RewriteReport report = new RewriteJob(options, progress, common.Context.Cancellation).Run();
            progress.Clear();
            common.Write(parse, report, writer => RewriteRenderer.Write(report, writer), () => RewriteMarkdown.Render(report));
            return common.ExitCode(parse, report.GatesMet, report.Diagnostics);
        });
        return command;
    }
}
