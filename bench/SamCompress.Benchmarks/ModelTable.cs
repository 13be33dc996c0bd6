using System.Globalization;
using SamCompress.IR;
using SamCompress.Runtime.Inference;
using SamCompress.Testing;

namespace SamCompress.Benchmarks;

/// <summary>
/// Runs the command line on the filled exporter graphs and prints the tables of <c>docs/models.md</c>: what each model holds,
/// what optimizing makes of it, what quantizing costs, and that the results compute the same.
/// </summary>
internal sealed class ModelTable
{
    private readonly string _output = Path.Combine(SkeletonModels.RepositoryRoot, "artifacts", "model-table");

    /// <param name="names">The models to run; all of them when empty.</param>
    public void Print(IReadOnlyList<string> names)
    {
        Directory.CreateDirectory(_output);
        Console.WriteLine("| model | file MB | inspect s | MB | nodes | optimized | optimize s | MB | largest relative difference |\n|---|---|---|---|---|---|---|---|---|");
        foreach (string name in names.Count > 0 ? names : SkeletonModels.Names)
        {
            PrintRow(name, SkeletonModels.FilledPath(name));
            if (name == "sam_h_encoder")
                PrintRow(name + ", inline", SkeletonModels.FilledPath(name, ExternalDataMode.Never));
        }
    }

    private void PrintRow(string name, string path)
    {
        string optimized = Path.Combine(_output, name + ".onnx");
        Execution inspect = Execution.Of("inspect", path, "--format", "json");
        Execution optimize = Execution.Of("optimize", path, "-o", optimized, "--overwrite", "--format", "json");
        long before = inspect.Result.GetProperty("nodes").GetInt64();
        using Model model = OnnxReader.Read(optimized);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {Size(path)} | {inspect.Seconds:0.00} | {inspect.PeakMegabytes} | {before} | {model.Graph.Nodes.Count} | {optimize.Seconds:0.0} | {optimize.PeakMegabytes} | {LargestDifference(path, optimized):0.0e+0} |"));
    }

    private static long Size(string path) =>
        Directory.EnumerateFiles(Path.GetDirectoryName(path)!, Path.GetFileName(path) + "*").Sum(f => new FileInfo(f).Length) / 1_000_000;

    /// <summary>The largest difference of an output element, relative to the largest element of that output.</summary>
    private static double LargestDifference(string first, string second)
    {
        Dictionary<string, float[]> expected = Outputs(first);
        Dictionary<string, float[]> actual = Outputs(second);
        double largest = 0;
        foreach ((string name, float[] values) in expected)
        {
            float scale = values.Max(Math.Abs);
            for (int i = 0; i < values.Length; i++)
                largest = Math.Max(largest, Math.Abs(values[i] - actual[name][i]) / scale);
        }

        return largest;
    }

    private static Dictionary<string, float[]> Outputs(string path)
    {
        using Model model = OnnxReader.Read(path);
        using OnnxSession session = OnnxSession.Open(model);
        var inputs = new Dictionary<string, RuntimeTensor>();
        foreach (SessionValue input in session.Inputs)
        {
            // The decoder's prompt has any number of points: two here. Its picture size is 1024 x 1024.
            long[] dimensions = [.. input.Shape!.Select(d => d.Value ?? 2)];
            float[] values = new float[dimensions.Aggregate(1L, (a, b) => a * b)];
            var random = new Random(input.Name.Length);
            for (int i = 0; i < values.Length; i++)
                values[i] = input.Name == "orig_im_size" ? 1024 : input.Name == "point_labels" ? 1 : (random.NextSingle() * 4) - 2;
            inputs.Add(input.Name, RuntimeTensor.Of(values, dimensions));
        }

        using RuntimeTensors outputs = session.Run(inputs);
        return outputs.ToDictionary(o => o.Key, o => o.Value.ToArray<float>());
    }
}
