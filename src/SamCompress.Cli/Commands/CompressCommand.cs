using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;
using SamCompress.Passes.Recipes;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress compress MODEL --recipe NAME</c>: slim, rewrite, repair and quantize as a recipe says.</summary>
internal static class CompressCommand
{
    public static Command Create(CommonOptions common)
    {
        var model = new ModelArgument("The image encoder to compress, an ONNX file.");
        var recipe = new Option<string>("--recipe")
        {
            Description = $"What to do: {string.Join(", ", Recipe.BuiltIn)}, or a recipe of your own (.json).",
            HelpName = "NAME",
            Required = true,
        };
        var output = new OutputOptions(required: false, "MODEL.RECIPE.onnx beside the model");
        var pictures = new PictureOptions();
        var execution = new ExecutionOptions();
        var decoder = new Option<string?>("--decoder") { Description = "The mask decoder to judge with. [default: the one beside the model]", HelpName = "FILE" };
        var state = new Option<string?>("--state") { Description = "A file to keep a training in; a run that was stopped goes on from it.", HelpName = "FILE" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be done, and write nothing." };
        var command = new Command("compress", "Do all that a recipe says in one go: slim, rewrite, repair, quantize, judge by masks.");
        model.AddTo(command);
        command.Options.Add(recipe);
        output.AddTo(command);
        command.Options.Add(decoder);
        command.Options.Add(state);
        pictures.AddTo(command);
        execution.AddTo(command);
        command.Options.Add(dryRun);
        command.SetAction(parse =>
        {
            var options = new CompressOptions
            {
                Model = model.Of(parse),
                Recipe = Recipe.Load(parse.GetRequiredValue(recipe)),
                Output = output.Output(parse),
                Overwrite = output.Overwrite(parse),
                ExternalData = output.ExternalData(parse),
                Decoder = parse.GetValue(decoder),
                Calibration = pictures.Of(parse),
                Execution = execution.Of(parse),
                State = parse.GetValue(state),
            };
            using ConsoleProgress progress = common.Progress(parse);
            var job = new CompressJob(options, progress, common.Context.Cancellation);
            if (parse.GetValue(dryRun))
            {
                CompressPlan plan = job.Plan();
                progress.Clear();
                common.Write(parse, plan, writer => CompressRenderer.Write(plan, writer));
                return ExitCodes.Done;
            }

            CompressionReport report = job.Run();
            progress.Clear();
            common.Write(parse, report, writer => QuantizeRenderer.Write(report, writer), () => ReportMarkdown.Render(report));
            return report.GatesMet ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }
}
