using System.Globalization;
using SamCompress.Benchmarks;
using SamCompress.Benchmarks.Quantization;
using SamCompress.Benchmarks.Segmentation;
using SamCompress.Benchmarks.Slimming;
using SamCompress.Testing;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
Benchmark[] benchmarks =
[
    new LinearForms("linear", 4096, 768, 3072),
    new LinearForms("linear-back", 4096, 3072, 768),
    new ConvForms("neck", 256, 256, 64, kernel: 3),
    new ConvForms("pointwise", 256, 64, 256, kernel: 1),
    new ConvForms("pointwise-deep", 512, 2048, 16, kernel: 1),
    new ConvForms("depthwise", 256, 256, 128, kernel: 3, groups: 256),
    new ConvForms("dense-wide", 64, 256, 128, kernel: 3),
    new ResidualNormalizationForms("normalization", 4096, 768),
    new AttentionForms("window", 300, 196, 64),
    new AttentionForms("global", 12, 2048, 64),
    new SamAttentionForms("window", groups: 25, side: 14, heads: 12, size: 64),
    new SamAttentionForms("global", groups: 1, side: 64, heads: 12, size: 64),
    new NormalizationForms(4, 128),
    new NormalizationForms(16, 64),
    new NormalizationForms(64, 128),
    new NormalizationForms(256, 64),
    new GeluForms(4096, 320, 1280),
    new TargetForms("sam-nano", () => Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx"), rounds: 20),
    new TargetForms("mobilesam", () => SkeletonModels.FilledPath("mobilesam_encoder"), rounds: 4),
    new TargetForms("efficientvit", () => SkeletonModels.FilledPath("efficientvit_sam_l0_encoder"), rounds: 6),
    new TrainingForms("sam-nano", () => Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx"), rounds: 20),
    new TrainingForms("sam-b", () => SkeletonModels.FilledPath("sam_b_encoder"), rounds: 1, recomputesOnly: true),
    new ModelOpening(),
];

if (args is ["models", .. string[] names])
{
    new ModelTable().Print(names);
    return 0;
}

if (args is ["quantization", .. string[] choices])
    return QuantizationTables.Print(choices);

if (args is ["slimming", .. string[] slimming])
    return SlimmingTable.Print(slimming);

if (args is ["segment", .. string[] segment])
    return EverythingTable.Print(segment);

if (args is ["--list"])
{
    foreach (Benchmark benchmark in benchmarks)
        Console.WriteLine($"{benchmark.Name,-14} {benchmark.Question}");
    return 0;
}

Benchmark[] chosen = [.. benchmarks.Where(b => args.Length == 0 || args.Contains(b.Name, StringComparer.Ordinal))];
if (args.FirstOrDefault(name => chosen.All(b => b.Name != name)) is { } unknown)
{
    Console.Error.WriteLine($"no benchmark '{unknown}'; there are {string.Join(", ", benchmarks.Select(b => b.Name))}");
    return 2;
}

foreach (Benchmark benchmark in chosen)
{
    Console.WriteLine($"## {benchmark.Name}: {benchmark.Question}\n\n| candidate | ms | speed | note |\n|---|---|---|---|");
    foreach (Measurement m in benchmark.Measure())
        Console.WriteLine($"| {m.Candidate.Name} | {m.Minimum:0.00} | {m.Ratio:0.00} | {m.Candidate.Note} |");
    Console.WriteLine();
}

return 0;
