using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Observers;

namespace SamCompress.Cli.Jobs;

/// <summary>Measures how far each layer of an artifact is from the same layer of the float model that was quantized; see <see cref="LayerErrors"/>.</summary>
internal sealed class LayerErrorStage(ExecutionRequest execution, StageClock clock, IJobProgress progress, CancellationToken cancellation)
{
    /// <summary>A model whose weights and activations take more is not run for this.</summary>
    private const long LargestModelBytes = 4_000_000_000;

    /// <param name="prepared">The model as it was before it was quantized.</param>
    /// <param name="artifact">Its file.</param>
    /// <param name="pictures">Null when there are none.</param>
    /// <param name="calibratedOn">The set hash in the statistics.</param>
    /// <param name="samples">Makes inputs of pictures; the first one is taken.</param>
    /// <returns>The layers with what was measured, and how.</returns>
    public (IReadOnlyList<ReportedLayer> Layers, ReportedLayerErrors Errors) Run(
        Model prepared, string artifact, QuantizationPlan plan, IReadOnlyList<ReportedLayer> layers, CalibrationPictures? pictures, string calibratedOn, Func<CalibrationSamples, IEnumerable<CalibrationSample>> samples)
    {
        if (pictures is null)
            return (layers, LeftOut("there were no pictures, only statistics"));
        long most = Math.Min(LargestModelBytes, execution.MaxMemory ?? long.MaxValue), needed = ModelSource.FootprintBytes(prepared);
        if (needed > most)
            return (layers, LeftOut(string.Create(CultureInfo.InvariantCulture, $"a run takes {needed} bytes, and up to {most} are spent on it")));
        clock.Start("measure layer errors");
        bool heldOut = pictures.HeldOut.Count > 0 && pictures.SetHash == calibratedOn;
        string picture = (pictures.HeldOut.Count > 0 ? pictures.HeldOut : pictures.Calibration)[0];
        using CalibrationSample? sample = samples(new CalibrationSamples(pictures.Only(picture), progress, cancellation)).FirstOrDefault();
        if (sample is null)
            return (layers, LeftOut($"{Path.GetFileName(picture)} cannot be read"));
        using Model student = OnnxReader.Read(artifact);
        IReadOnlyList<ComparedValue> values = Values(prepared, plan);
        IReadOnlyDictionary<string, double?> errors = new LayerErrors(execution.FrugalSession).Measure(prepared, student, values, sample.Inputs, cancellation);
        return ([.. layers.Select((layer, i) => layer with { Sqnr = errors.GetValueOrDefault(values[i].Teacher) })], new ReportedLayerErrors(Path.GetFileName(picture), heldOut, null));
    }

    private static ReportedLayerErrors LeftOut(string why) => new(null, false, why);

    /// <summary>What each layer of the plan gives, with its bias; a Conv whose channels are scaled gives it behind the scale.</summary>
    private static List<ComparedValue> Values(Model prepared, QuantizationPlan plan)
    {
        Dictionary<string, string> outputs = LayerFinder.Find(prepared.Graph).ToDictionary(l => l.Node.Output.Name, l => l.Output.Name, StringComparer.Ordinal);
        var values = new List<ComparedValue>();
        foreach (LayerPlan layer in plan.Layers)
        {
            string name = outputs.GetValueOrDefault(layer.NodeOutput, layer.NodeOutput);
            values.Add(new ComparedValue(name, layer.OutputGrids.Count > 0 ? name + "_scaled" : name));
        }

        return values;
    }
}
