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
        var execution = new ExecutionOptions();
        var decoder = new Option<string?>("--decoder") { Description = "The mask decoder to judge with. [default: the one beside the model]", HelpName = "FILE" };
        Option<double?> minMiou = Numbers.Between("--min-miou", "Exit with 1 when the mean mask IoU is lower; --blocks auto keeps to it.", 0, 1);
        Option<double?> maxDrop = Numbers.Between("--max-drop", "The same, as how much below 1 the mean mask IoU may be.", 0, 1);
        var dryRun = new Option<bool>("--dry-run") { Description = "Say which attentions would be rewritten, and write nothing." };
        var command = new Command("rewrite", "Replace attention by a cheaper one, refit the layers behind, and judge it by its masks.");
        model.AddTo(command);
        output.AddTo(command);
        step.AddTo(command, result => (result.GetResult(minMiou) ?? result.GetResult(maxDrop)) is not null);
        command.Options.Add(decoder);
        pictures.AddTo(command);
        execution.AddTo(command);
        foreach (Option option in new Option[] { minMiou, maxDrop, dryRun })
            command.Options.Add(option);
        command.SetAction(parse =>
        {
            var options = new RewriteOptions
            {
                Model = model.Of(parse),
                Output = output.Output(parse)!,
                Step = step.Of(parse),
                Overwrite = output.Overwrite(parse),
                ExternalData = output.ExternalData(parse),
                Decoder = parse.GetValue(decoder),
                Calibration = pictures.Of(parse),
                Execution = execution.Of(parse),
                MinMeanIou = parse.GetValue(minMiou),
                MaxDrop = parse.GetValue(maxDrop),
                DryRun = parse.GetValue(dryRun),
            };
            using ConsoleProgress progress = common.Progress(parse);
            RewriteReport report = new RewriteJob(options, progress, common.Context.Cancellation).Run();
            progress.Clear();
            common.Write(parse, report, writer => RewriteRenderer.Write(report, writer), () => RewriteMarkdown.Render(report));
            return report.GatesMet ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }
}
