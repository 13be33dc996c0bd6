using System.Diagnostics;
using System.Globalization;
using SamCompress.Benchmarks.Quantization;
using SamCompress.IR;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Differentiation.Training;
using SamCompress.Passes.Pruning;
using SamCompress.Passes.Pruning.Importance;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Training;
using SamCompress.Testing;

namespace SamCompress.Benchmarks.Slimming;

/// <summary>
/// <c>slimming --pictures DIR --judges DIR [--updates N] [--rate R] [--threads N] [--ranking local|global] [--ratio R] [--mode one-step|alternate] [--save FILE] [criterion ...]</c>:
/// SlimSAM's table on the sample model. Each criterion of importance, in one step and alternating, at 50 % and 77 %, with the same number of updates and the same seed.
/// </summary>
internal static class SlimmingTable
{
    private const double Rate = 1e-3;

    /// <returns>The exit code.</returns>
    public static int Print(string[] arguments)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["--pictures"] = "",
            ["--judges"] = "",
            ["--updates"] = "4000",
            ["--rate"] = Rate.ToString(CultureInfo.InvariantCulture),
            ["--threads"] = "0",
            ["--ranking"] = "local",
            ["--ratio"] = "",
            ["--mode"] = "",
            ["--save"] = "",
        };
        var criteria = new List<string>();
        for (int i = 0; i < arguments.Length; i++)
        {
            if (options.ContainsKey(arguments[i]) && i + 1 < arguments.Length)
                options[arguments[i]] = arguments[++i];
            else
                criteria.Add(arguments[i]);
        }

        if (options["--pictures"].Length == 0 || options["--judges"].Length == 0 || criteria.Except(ImportanceCriteria.All).Any())
        {
            Console.Error.WriteLine($"give --pictures DIR to learn from and --judges DIR to judge by; criteria are {string.Join(", ", ImportanceCriteria.All)}");
            return 2;
        }

        double[] ratios = options["--ratio"] is { Length: > 0 } ratio ? [double.Parse(ratio, CultureInfo.InvariantCulture)] : [0.5, 0.77];
        bool[] modes = options["--mode"] switch { "one-step" => [false], "alternate" => [true], _ => [false, true] };
        using var bench = new Bench(options);
        var table = new Table("slimming", "importance", "mode", "ratio", "parameters", "pruned", "mean IoU", "p5 IoU", "minutes", "recovery: updates and mean IoU");
        foreach (string criterion in criteria.Count == 0 ? ImportanceCriteria.All : criteria)
        {
            foreach (bool isAlternate in modes)
            {
                foreach (double share in ratios)
                    bench.Run(table, criterion, isAlternate, share);
            }
        }

        return 0;
    }

    private sealed class Bench : IDisposable
    {
        /// <summary>So often each phase is judged.</summary>
        private const int Validations = 5;

        private readonly Dictionary<string, string> _options;
        private readonly Model _original;
        private readonly Model _decoder;
        private readonly TrainingPictures _pictures;
        private readonly SessionSettings _session;
        private readonly Teacher _teacher;
        private readonly ImageSet _judges;

        public Bench(Dictionary<string, string> options)
        {
            _options = options;
            _session = new SessionSettings { Threads = int.Parse(options["--threads"], CultureInfo.InvariantCulture) };
            string folder = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano"), encoder = Path.Combine(folder, "encoder.onnx"), decoder = Path.Combine(folder, "decoder.onnx");
            _original = OnnxReader.Read(encoder);
            TrainableModel.Prepare(_original);
            _decoder = OnnxReader.Read(decoder);
            MaskHead.Fix(_decoder, points: 2);
            _pictures = new TrainingPictures(ImageSet.Open(options["--pictures"]), new Preprocessing(256, PixelLayout.ChannelsFirst), new Augmentation());
            _teacher = Teacher.Open(encoder, decoder, new TeacherSettings { Session = _session, MaxCachedBytes = long.MaxValue });
            _judges = ImageSet.Open(options["--judges"]);
        }

        public void Run(Table table, string criterion, bool isAlternate, double ratio)
        {
            long updates = long.Parse(_options["--updates"], CultureInfo.InvariantCulture), start = Stopwatch.GetTimestamp();
            var settings = new SlimmingSettings
            {
                Ratio = ratio,
                Importance = criterion,
                IsAlternate = isAlternate,
                RoundTo = 12,
                Ranking = Enum.Parse<PruningRanking>(_options["--ranking"], ignoreCase: true),
                Distillation = new DistillationSettings
                {
                    Updates = updates,
                    LearningRate = double.Parse(_options["--rate"], CultureInfo.InvariantCulture),
                    Optimizer = new TrainingOptions { WeightDecay = 1e-4 },
                    ValidateEvery = Math.Max(1, updates / (isAlternate ? 2 : 1) / Validations),
                    Session = _session,
                },
            };
            SlimmedModel slimmed = new SlimmingRun(settings).Run(_original, _decoder, _pictures, model => Judge(model).MeanIou);
            using (slimmed.Model)
            {
                MaskResult judged = Judge(slimmed.Model);
                table.Row(
                    criterion,
                    isAlternate ? "alternate" : "one step",
                    Table.Number(ratio, "0.00"),
                    CostModel.Measure(slimmed.Model).Parameters.ToString(CultureInfo.InvariantCulture),
                    string.Join(", ", slimmed.Phases.Select(p => Table.Share(p.ScorePruned!.Value))),
                    Table.Share(judged.MeanIou),
                    Table.Share(judged.P5Iou),
                    Table.Number(Stopwatch.GetElapsedTime(start).TotalMinutes, "0.0"),
                    string.Join("; ", slimmed.Phases.Select(p => string.Join(", ", p.Outcome.Validations.Select(v => $"{v.Update}: {Table.Share(v.Score)}")))));
                if (_options["--save"] is { Length: > 0 } file)
                    OnnxWriter.Save(slimmed.Model, file);
            }
        }

        public void Dispose()
        {
            _teacher.Dispose();
            _pictures.Dispose();
            _decoder.Dispose();
            _original.Dispose();
        }

        private MaskResult Judge(Model model)
        {
            using var encoder = ImageEncoder.Open(model, _session);
            return new Evaluator(_teacher, new EvaluationSettings { LatencyRounds = 0 }).Evaluate(encoder, _judges).Masks!;
        }
    }
}
