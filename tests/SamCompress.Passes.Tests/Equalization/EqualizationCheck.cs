using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Equalization;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Equalization;

/// <summary>Applies an equalizing pass, which unlike others is not done the second time: the statistics would be those of another model.</summary>
internal static class EqualizationCheck
{
    /// <summary>What the passes promise, relative to the largest element of an output.</summary>
    public const double MaxRelative = 1e-5;

    /// <summary>As many and as large changes as there can be.</summary>
    public static EqualizationOptions Boldest { get; } = new() { LeastGain = 0, Overshoot = 0 };

    /// <summary>A graph of an exporter, brought into the form that is quantized.</summary>
    public static Model Prepared(string name)
    {
        Model model = ExporterModels.Open(name);
        new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(TargetDescription.Load(TargetDescription.Default)), .. StandardPipeline.PrepareQuantization]).Run(model, PassCheck.Context());
        return model;
    }

    /// <summary>Applies the pass, asserts that the outputs stay as they were, and returns both graphs for a snapshot.</summary>
    public static string Apply(string text, Pass pass, int opset = 21)
    {
        using Model before = Parse(text, opset);
        using Model after = Parse(text, opset);
        int changes = pass.Apply(after, PassCheck.Context());
        Assert.True(changes > 0, "nothing was changed");
        after.Graph.RemoveUnusedInitializers();
        Assert.DoesNotContain(GraphChecker.Check(after), d => d.Severity == Severity.Error);
        NumericAssert.Close(before, after, MaxRelative);
        return $"before:\n{ModelText.Print(before)}\nafter, {changes} changed:\n{ModelText.Print(after)}";
    }

    /// <summary>Asserts that the pass leaves the graph alone and says why.</summary>
    public static void Refuses(string text, Pass pass, string reason, int opset = 21)
    {
        using Model model = Parse(text, opset);
        string before = ModelText.Print(model);
        PassContext context = PassCheck.Context();
        Assert.Equal(0, pass.Apply(model, context));
        Assert.Equal(before, ModelText.Print(model));
        Diagnostic diagnostic = Assert.Single(context.Diagnostics);
        Assert.Equal("is not equalized: " + reason, diagnostic.Message);
    }

    /// <summary>Statistics with wide and narrow channels: scales from 2^-6 to 2^6, ranges that may lie beside zero.</summary>
    public static CalibrationStatistics Random(IEnumerable<ObservedValue> observed, int seed = 1)
    {
        var random = new Random(seed);
        return Statistics([.. observed.Select(o =>
        {
            double[] scales = [.. Enumerable.Range(0, o.Channels).Select(_ => Math.Pow(2, (random.NextDouble() * 12) - 6))];
            double[] centers = [.. scales.Select(s => Math.Min(s, 2) * ((random.NextDouble() * 2) - 1))];
            return Value(o.Name, o.ChannelAxis, [.. scales.Zip(centers, (s, c) => ((float)(c - s), (float)(c + s)))]);
        })]);
    }

    /// <summary>Statistics of one value with the ranges that a test wants; its means are in the middle.</summary>
    public static ValueStatistics Value(string name, int axis, params (float Min, float Max)[] channels)
    {
        var histogram = new ValueHistogram();
        histogram.Add([.. channels.SelectMany(c => (float[])[c.Min, (c.Min + c.Max) / 2, c.Max])]);
        float min = channels.Min(c => c.Min), max = channels.Max(c => c.Max);
        return new ValueStatistics
        {
            Name = name,
            ChannelAxis = axis,
            ChannelMin = [.. channels.Select(c => c.Min)],
            ChannelMax = [.. channels.Select(c => c.Max)],
            ChannelMean = [.. channels.Select(c => (c.Min + (double)c.Max) / 2)],
            PictureMin = new Moments(min, (double)min * min),
            PictureMax = new Moments(max, (double)max * max),
            Histogram = histogram,
        };
    }

    public static CalibrationStatistics Statistics(params ValueStatistics[] values) => new()
    {
        ModelHash = "model",
        ToolVersion = "0",
        PictureSetHash = "pictures",
        PictureCount = 1,
        Values = values,
    };

    private static Model Parse(string text, int opset)
    {
        Model model = ModelText.Parse(text, opset);
        ShapeInference.Infer(model);
        model.Graph.RemoveUnusedInitializers();
        return model;
    }
}
