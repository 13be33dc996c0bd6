using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Search;
using SamCompress.Testing;

namespace SamCompress.Runtime.Tests.Search;

public sealed class ScaleProbeTests
{
    private const string Encoder = """
        g (float[1,4,3] X) => (float[1,4,2] E)
        <float[3,3] V = {1, -2, 0.5, 0.25, 1, 3, -1, 0.5, 2}, float[3] B = {0.1, -0.2, 0.3}, float[3,2] W = {1, 2, -1, 0.5, 0.25, -3}>
        {
            P = MatMul (X, V)
            H = Add (P, B)
            R = Relu (H)
            M = MatMul (R, W)
            E = Neg (M)
        }
        """;

    private static readonly SessionSettings Plain = new() { Optimization = GraphOptimization.None };
    private static readonly QuantizationGrid Input = QuantizationGrid.Affine(-1.3f, 1.1f, 0, 255);
    private static readonly QuantizationGrid Inner = QuantizationGrid.Affine(0, 2.5f, 0, 63);

    /// <summary>QuantizeLinear and DequantizeLinear before both layers; the second grid has 64 levels, which the Clip in front of it stands for.</summary>
    [Fact]
    public void Grids_do_what_quantize_and_dequantize_linear_do()
    {
        using Model qdq = ModelText.Parse("""
            g (float[1,4,3] X) => (float[1,4,2] E)
            <float[3,3] V = {1, -2, 0.5, 0.25, 1, 3, -1, 0.5, 2}, float[3] B = {0.1, -0.2, 0.3}, float[3,2] W = {1, 2, -1, 0.5, 0.25, -3},
             float S = {1}, uint8 Z = {0}, float T = {1}, uint8 N = {0}, float L = {0}, float U = {1}>
            {
                XQ = QuantizeLinear (X, S, Z)
                XD = DequantizeLinear (XQ, S, Z)
                P = MatMul (XD, V)
                H = Add (P, B)
                R = Relu (H)
                RC = Clip (R, L, U)
                RQ = QuantizeLinear (RC, T, N)
                RD = DequantizeLinear (RQ, T, N)
                M = MatMul (RD, W)
                E = Neg (M)
            }
            """, 17);
        Set(qdq, "S", Tensor.Scalar(Input.Scale));
        Set(qdq, "Z", Tensor.Of<byte>(ElementType.UInt8, [(byte)Input.ZeroPoint], []));
        Set(qdq, "T", Tensor.Scalar(Inner.Scale));
        Set(qdq, "U", Tensor.Scalar(Inner.Max));
        using OnnxSession session = OnnxSession.Open(qdq, Plain);
        using RuntimeTensor image = Image();
        using RuntimeTensors expected = session.Run(new Dictionary<string, RuntimeTensor> { ["X"] = image });

        float[] actual = Run(image, new() { ["X"] = Input, ["R"] = Inner }, [], null);
        Assert.NotEqual(Run(image, [], [], null), actual);
        Assert.Equal(expected["E"].ToArray<float>(), actual);
    }

    [Fact]
    public void Without_grids_and_noise_nothing_changes()
    {
        using Model model = Model(Encoder);
        using OnnxSession session = OnnxSession.Open(model, Plain);
        using RuntimeTensor image = Image();
        using RuntimeTensors expected = session.Run(new Dictionary<string, RuntimeTensor> { ["X"] = image });
        Assert.Equal(expected["E"].ToArray<float>(), Run(image, [], [], null));
        Assert.Equal(expected["E"].ToArray<float>(), Run(image, [], ["P", "M"], null));
        Assert.Equal(expected["E"].ToArray<float>(), Run(image, [], ["P", "M"], ("M", new float[8], [1, 4, 2])));
    }

    /// <summary>Behind the second layer comes only a Neg.</summary>
    [Fact]
    public void Noise_is_added_behind_the_layer_it_is_for()
    {
        using RuntimeTensor image = Image();
        float[] noise = [1, 0, 0, -2, 0, 0.5f, 0, 0], plain = Run(image, [], [], null), noisy = Run(image, [], ["P", "M"], ("M", noise, [1, 4, 2]));
        for (int i = 0; i < noise.Length; i++)
            Assert.Equal(plain[i] - noise[i], noisy[i], 1e-5);
    }

    /// <summary>Behind the bias: -100 there makes the Relu give 0 for everything.</summary>
    [Fact]
    public void Noise_of_a_layer_comes_behind_its_bias()
    {
        using RuntimeTensor image = Image();
        Assert.All(Run(image, [], ["P"], ("P", [.. Enumerable.Repeat(-100f, 12)], [1, 4, 3])), v => Assert.Equal(0, v));
    }

    /// <summary>Targets whose convolutions give quantized values have candidates for outputs that no layer reads: all readers see the rounded value.</summary>
    [Fact]
    public void A_value_that_no_layer_reads_is_rounded_for_all_who_do()
    {
        using Model model = Model("g (float[1,1,1,3] X) => (float[1,1,1,3] E) <float[1,1,1,1] K = {1}> { C = Conv (X, K) E = Relu (C) }");
        using var probe = new ScaleProbe(model, ["C"], [], Plain);
        using RuntimeTensor image = RuntimeTensor.Of([0.4f, 0.6f, 9], 1, 1, 1, 3);
        using RuntimeTensors outputs = probe.Run(image, new Dictionary<string, QuantizationGrid> { ["C"] = new(1, 0, 0, 3) }, null, default);
        Assert.Equal([0, 1, 3], outputs["E"].ToArray<float>());
    }

    [Fact]
    public void A_value_that_only_leaves_the_graph_is_left_as_it_is()
    {
        using Model model = Model("g (float[1,1,1,3] X) => (float[1,1,1,3] E) <float[1,1,1,1] K = {1}> { E = Conv (X, K) }");
        using var probe = new ScaleProbe(model, ["E"], [], Plain);
        using RuntimeTensor image = RuntimeTensor.Of([0.4f, 0.6f, 9], 1, 1, 1, 3);
        using RuntimeTensors outputs = probe.Run(image, new Dictionary<string, QuantizationGrid> { ["E"] = new(1, 0, 0, 3) }, null, default);
        Assert.Equal([0.4f, 0.6f, 9], outputs["E"].ToArray<float>());
    }

    private static float[] Run(RuntimeTensor image, Dictionary<string, QuantizationGrid> grids, string[] layers, (string Layer, float[] Elements, long[] Shape)? noise)
    {
        using Model model = Model(Encoder);
        using var probe = new ScaleProbe(model, grids.Keys, layers, Plain);
        using RuntimeTensors outputs = probe.Run(image, grids, noise, default);
        return outputs[probe.EmbeddingsOutput].ToArray<float>();
    }

    private static Model Model(string text)
    {
        Model model = ModelText.Parse(text, 17);
        ShapeInference.Infer(model);
        return model;
    }

    private static RuntimeTensor Image() => RuntimeTensor.Of([0.3f, -1.7f, 0.9f, 1.5f, 0.02f, -0.4f, 0.77f, 0.5f, -0.06f, -0.9f, 1.01f, 0.6f], 1, 4, 3);

    private static void Set(Model model, string name, Tensor tensor) => model.Graph.SetInitializer(model.Graph.Initializers.Single(v => v.Name == name), tensor);
}
