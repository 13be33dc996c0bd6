using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Targets;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Targets;

/// <summary>What comes out for each target, on a block of attention, a perceptron and convolutions.</summary>
public sealed class TargetArtifactTests
{
    /// <summary>An attention block with a convolution, in operators that mean the same from opset 13 to 21.</summary>
    private const string Block = """
        g (float[1,4,8,8] X) => (float[1,4,8,8] Y)
        <float[8,4,3,3] K = {{K}}, float[8] KB = {{B8}}, float[8,8] WQ = {{W}}, float[8,8] WK = {{W}}, float[8,8] WV = {{W}}, float[8,8] WO = {{W}}, float[8] BQ = {{B8}}, float[8] BO = {{B8}},
         float[8,16] W1 = {{M}}, float[16] B1 = {{B16}}, float[16,8] W2 = {{M}}, float[8] B2 = {{B8}}, float[4,8,1,1] L = {{N}}, float[8,1,3,3] D = {{D}}, float[4] LB = {{B4}},
         int64[3] rows = {1, 64, 8}, int64[4] heads = {1, 64, 2, 4}, int64[4] map = {1, 8, 8, 8}, int64[2] flat = {64, 8}, float root = {0.5}, float sqrt2 = {1.4142135}, float one = {1}, float half = {0.5}>
        {
            c = Conv <pads = [1, 1, 1, 1]> (X, K, KB)
            d = Conv <pads = [1, 1, 1, 1], group = 8> (c, D)
            t = Transpose <perm = [0, 2, 3, 1]> (d)
            r = Reshape (t, rows)
            q0 = MatMul (r, WQ)
            q1 = Add (q0, BQ)
            q2 = Reshape (q1, heads)
            q = Transpose <perm = [0, 2, 1, 3]> (q2)
            k1 = MatMul (r, WK)
            k2 = Reshape (k1, heads)
            k = Transpose <perm = [0, 2, 3, 1]> (k2)
            v1 = MatMul (r, WV)
            v2 = Reshape (v1, heads)
            v = Transpose <perm = [0, 2, 1, 3]> (v2)
            qk = MatMul (q, k)
            l = Mul (qk, root)
            p = Softmax <axis = 3> (l)
            pv = MatMul (p, v)
            o1 = Transpose <perm = [0, 2, 1, 3]> (pv)
            o2 = Reshape (o1, flat)
            o = Gemm (o2, WO, BO)
            oo = Reshape (o, rows)
            x = Add (oo, r)
            h0 = MatMul (x, W1)
            h = Add (h0, B1)
            e0 = Div (h, sqrt2)
            e1 = Erf (e0)
            e2 = Add (e1, one)
            e3 = Mul (h, e2)
            e = Mul (e3, half)
            m0 = MatMul (e, W2)
            m = Add (m0, B2)
            y = Add (m, x)
            yr = Reshape (y, map)
            yt = Transpose <perm = [0, 3, 1, 2]> (yr)
            Y = Conv (yt, L, LB)
        }
        """;

    private static readonly float[] Input = [.. Enumerable.Range(0, 256).Select(i => ((i * 6151 % 401) - 200) / 100f)];

    [Theory]
    [InlineData("qdq", 13)]
    [InlineData("qdq", 17)]
    [InlineData("qdq", 19)]
    [InlineData("qdq", 21)]
    [InlineData("ort-cpu", 13)]
    [InlineData("ort-cpu", 17)]
    [InlineData("ort-cpu", 19)]
    [InlineData("ort-cpu", 21)]
    [InlineData("openvino", 13)]
    [InlineData("openvino", 21)]
    [InlineData("tensorrt", 13)]
    [InlineData("tensorrt", 19)]
    public void Artifacts_load_and_run_at_every_opset_and_keep_the_rules(string name, int opset)
    {
        TargetDescription target = TargetDescription.Load(name);
        using Model reference = ModelText.Parse(FilledBlock(), opset);
        using Model artifact = Artifact(target, opset);
        Assert.Empty(TargetCheck.Check(artifact, target));

        // Ten layers of 8 bits, each of which may be wrong by 1/255 of its range where inputs and by 1/127 where weights are rounded.
        NumericAssert.Close(reference, artifact, 0.06, new Dictionary<string, Array> { ["X"] = Input }, GraphOptimization.All);
    }

    [Fact]
    public void Artifact_for_tensorrt_holds_no_zero_point_but_zero()
    {
        using Model artifact = Artifact(TargetDescription.Load("tensorrt"), 17);
        List<Node> linear = [.. artifact.Graph.Nodes.Where(n => n.OpType is "QuantizeLinear" or "DequantizeLinear")];

        // Q and DQ of seven activations, three layers sharing one of them, and DQ of nine weights.
        Assert.Equal(23, linear.Count);
        Assert.All(linear, n => Assert.All(n.Inputs[2]!.Constant!.ToArray<sbyte>(), z => Assert.Equal(0, z)));
        Assert.All(linear, n => Assert.Equal(ElementType.Int8, n.Inputs[2]!.ElementType));
    }

    private static string FilledBlock()
    {
        string text = Block;
        foreach ((string key, int count) in new[] { ("K", 288), ("W", 64), ("M", 128), ("N", 32), ("D", 72), ("B8", 8), ("B16", 16), ("B4", 4) })
            text = text.Replace($"{{{{{key}}}}}", "{" + string.Join(", ", Enumerable.Range(0, count).Select(i => FormattableString.Invariant($"{((i * 7919 % 211) - 105) / 300f}"))) + "}", StringComparison.Ordinal);
        return text;
    }

    /// <summary>Quantizes the block with the ranges that its values have on the input.</summary>
    private static Model Artifact(TargetDescription target, int opset)
    {
        Model model = ModelText.Parse(FilledBlock(), opset);
        IR.Analysis.ShapeInference.Infer(model);
        var planner = new QuantizationPlanner(new QuantizationOptions { FewestInputs = 1, Estimator = new MinMaxEstimator(), CorrectBias = false }, target);
        var sample = new CalibrationSample("block", new Dictionary<string, RuntimeTensor> { ["X"] = RuntimeTensor.Of(Input, 1, 4, 8, 8) });
        CalibrationStatistics statistics = new Calibrator().Run(model, planner.RequiredStatistics(model), [sample], new CalibrationOrigin("model", "1", "block"));
        new PassPipeline(new QuantizePass(planner.Plan(model, statistics))).Run(model, new PassContext());
        return model;
    }
}
