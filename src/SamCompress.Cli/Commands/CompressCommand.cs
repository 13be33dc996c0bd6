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
        var delivery = new DeliveryOptions(bundles: true);
        var pictures = new PictureOptions();
        var execution = new ExecutionOptions(common);
        Option<string?> decoder = GateOptions.DecoderOption();
        Option<string?> state = CommonOptions.State("a training");
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be done, and write nothing." };
        var command = new Command("compress", "Do all that a recipe says in one go: slim, rewrite, repair, quantize, judge by masks.");
        model.AddTo(command);
        command.Options.Add(recipe);
        output.AddTo(command);
        delivery.AddTo(command);
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
                Output = delivery.Output(parse, output.Output(parse)),
                Bundle = delivery.IsBundle(parse),
                Overwrite = output.Overwrite(parse),
                ExternalData = output.ExternalData(parse),
                Preprocessing = delivery.Preprocessing(parse),
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
            return common.ExitCode(parse, report.GatesMet, report.Diagnostics);
        });
        return command;
    }
}
