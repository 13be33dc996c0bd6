using System.CommandLine;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;
using SamCompress.Passes.Recipes;

namespace SamCompress.Cli.Commands;

/// <summary><c>samcompress distill STUDENT --teacher MODEL -o FILE</c>: an approximate encoder learns from the one it was made of.</summary>
internal static class DistillCommand
{
    public static Command Create(CommonOptions common)
    {
        var defaults = new DistillStep();
        var model = new ModelArgument("The image encoder that learns, an ONNX file: rewritten, pruned or otherwise made of the teacher.");
        var teacher = new Option<string>("--teacher") { Description = "The image encoder to learn from.", HelpName = "FILE", Required = true };
        var output = new OutputOptions(required: true, "");
        var objective = CommonOptions.Choice("--objective", "What is learned: the embedding, or one layer after the other.", "embedding", "embedding", "embedding-l1", "layers");
        Option<int?> updates = Numbers.Whole("--updates", $"Updates of the weights. [default: {defaults.Updates}]", 1, 100_000_000);
        Option<double?> rate = Numbers.Between("--learning-rate", $"The greatest one; it falls along half a cosine. [default: {defaults.LearningRate}]", 1e-9, 1);
        Option<int?> batch = Numbers.Whole("--batch", $"Pictures for one update. [default: {defaults.Batch}]", 1, 4096);
        Option<double?> decay = Numbers.Between("--weight-decay", $"Of AdamW. [default: {defaults.WeightDecay}]", 0, 0.99);
        Option<double?> area = Numbers.Between("--least-area", $"The least share of a picture that is shown; 1 shows all of each. [default: {defaults.LeastArea}]", 0.01, 1);
        Option<int?> seed = Numbers.Whole("--seed", "Decides the order of the pictures and what is shown of each. [default: 0]", 0, int.MaxValue);
        var state = new Option<string?>("--state") { Description = "A file to keep the training in; a run that was stopped goes on from it.", HelpName = "FILE" };
        var pictures = new PictureOptions("Pictures to learn from, of which some are held out", takesAll: true);
        var execution = new ExecutionOptions();
        var decoder = new Option<string?>("--decoder") { Description = "The mask decoder to judge with. [default: the one beside the teacher]", HelpName = "FILE" };
        Option<double?> minMiou = Numbers.Between("--min-miou", "Exit with 1 when the mean mask IoU is lower.", 0, 1);
        Option<double?> maxDrop = Numbers.Between("--max-drop", "The same, as how much below 1 the mean mask IoU may be.", 0, 1);
        var command = new Command("distill", "Let a rewritten or pruned encoder learn from the original, and judge it by its masks.");
        model.AddTo(command);
        command.Options.Add(teacher);
        output.AddTo(command);
        foreach (Option option in new Option[] { objective, updates, rate, batch, decay, area, seed, state, decoder })
            command.Options.Add(option);
        pictures.AddTo(command);
        execution.AddTo(command);
        command.Options.Add(minMiou);
        command.Options.Add(maxDrop);
        command.SetAction(parse =>
        {
            var options = new DistillOptions
            {
                Model = model.Of(parse),
                Teacher = parse.GetRequiredValue(teacher),
                Output = output.Output(parse)!,
                Overwrite = output.Overwrite(parse),
                ExternalData = output.ExternalData(parse),
                Objective = parse.GetRequiredValue(objective) switch { "embedding-l1" => DistillObjective.EmbeddingL1, "layers" => DistillObjective.Layers, _ => DistillObjective.Embedding },
                Step = new DistillStep
                {
                    Updates = parse.GetValue(updates) ?? defaults.Updates,
                    LearningRate = parse.GetValue(rate) ?? defaults.LearningRate,
                    Batch = parse.GetValue(batch) ?? defaults.Batch,
                    WeightDecay = parse.GetValue(decay) ?? defaults.WeightDecay,
                    LeastArea = parse.GetValue(area) ?? defaults.LeastArea,
                    Seed = parse.GetValue(seed) ?? defaults.Seed,
                },
                State = parse.GetValue(state),
                Decoder = parse.GetValue(decoder),
                Calibration = pictures.Of(parse),
                Execution = execution.Of(parse),
                MinMeanIou = parse.GetValue(minMiou),
                MaxDrop = parse.GetValue(maxDrop),
            };
            using ConsoleProgress progress = common.Progress(parse);
            DistillReport report = new DistillJob(options, progress, common.Context.Cancellation).Run();
            progress.Clear();
            common.Write(parse, report, writer => DistillRenderer.Write(report, writer), () => DistillMarkdown.Render(report));
            return report.GatesMet ? ExitCodes.Done : ExitCodes.Negative;
        });
        return command;
    }
}
