using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Images.Embedded;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;

namespace SamCompress.Samples;

/// <summary>Quantizes an image encoder to 8 bits with the libraries alone, and lets it take picture files.</summary>
public static class QuantizeEncoder
{
    public static void Run(string encoder, string pictures, string output)
    {
        using Model model = OnnxReader.Read(encoder);
        var target = TargetDescription.Load(TargetDescription.Default);
        var context = new PassContext { Evaluator = new OnnxConstantEvaluator() };
        new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(target), .. StandardPipeline.PrepareQuantization]).Run(model, context);

        Value input = model.Graph.Inputs[0];
        using var loader = new ImageLoader(Preprocessing.For(new SessionValue(input.Name, input.ElementType, input.Shape), encoder));
        IEnumerable<CalibrationSample> samples = ImageSet.Open(pictures).Paths
            .Select(p => new CalibrationSample(p, new Dictionary<string, RuntimeTensor> { [input.Name] = loader.Load(p).Input }));
        var planner = new QuantizationPlanner(new QuantizationOptions { Precision = Precision.W8A8 }, target);
        CalibrationStatistics statistics = new Calibrator().Run(model, planner.RequiredStatistics(model), samples, new CalibrationOrigin(encoder, "", pictures));

        new PassPipeline(new QuantizePass(planner.Plan(model, statistics))).Run(model, context);
        EmbeddedPreprocessing.Embed(model, PictureForm.File);
        OnnxWriter.Save(model, output);
    }
}
