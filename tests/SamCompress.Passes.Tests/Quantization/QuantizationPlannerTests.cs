using SamCompress.IR;
using SamCompress.IR.Analysis;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization;

public sealed class QuantizationPlannerTests
{
    [Fact]
    public void Asks_for_inputs_of_linears_and_for_inputs_and_outputs_of_convolutions()
    {
        using Model model = Layers();
        Assert.Equal(
            [new ObservedValue("C", 1, 2, ObservationDetail.Rows), new ObservedValue("T", -1, 2, ObservationDetail.SecondMoments), new ObservedValue("X", 1, 1, ObservationDetail.Rows)],
            Planner().RequiredStatistics(model));
    }

    [Theory]
    [InlineData(SearchMetric.MinMax, WeightRounding.Nearest, ObservationDetail.Ranges, ObservationDetail.Ranges)]
    [InlineData(SearchMetric.Percentile, WeightRounding.Gptq, ObservationDetail.Ranges, ObservationDetail.SecondMoments)]
    [InlineData(SearchMetric.Cosine, WeightRounding.Nearest, ObservationDetail.Rows, ObservationDetail.SecondMoments)]
    public void Asks_for_no_more_detail_than_metric_and_rounding_use(SearchMetric metric, WeightRounding rounding, ObservationDetail conv, ObservationDetail linear)
    {
        using Model model = Layers();
        IReadOnlyList<ObservedValue> observed = Planner(new QuantizationOptions { FewestInputs = 1, Metric = metric, Rounding = rounding }).RequiredStatistics(model);
        Assert.Equal([conv, linear, conv], observed.Select(o => o.Detail));
    }

    /// <summary>All 64 of six layers: what is excluded stays as it is, everything else is quantized, and ONNX Runtime takes the model.</summary>
    [Fact]
    public void Any_subset_of_layers_can_be_excluded()
    {
        const int layers = 6;
        string nodes = string.Concat(Enumerable.Range(0, layers).Select(i => $"v{i + 1} = MatMul(v{i}, W{i})\n"));
        string weights = string.Join(", ", Enumerable.Range(0, layers).Select(i => $"float[2,2] W{i} = {{1, -2, 0.5, 0.25}}"));
        for (int excluded = 0; excluded < 1 << layers; excluded++)
        {
            using Model model = ModelText.Parse($"g (float[1,3,2] v0) => (float[1,3,2] v{layers}) <{weights}> {{ {nodes} }}", opset: 17);
            foreach ((Node node, int i) in model.Graph.Nodes.Select((n, i) => (n, i)))
                node.Name = $"layer{i}";
            ShapeInference.Infer(model);
            string[] names = [.. Enumerable.Range(0, layers).Where(i => (excluded >> i & 1) != 0).Select(i => $"layer{i}")];
            QuantizationPlan plan = Plan(model, Planner(new QuantizationOptions { FewestInputs = 1, Estimator = new MinMaxEstimator(), Selection = new NodeSelection { NodesToExclude = names } }));
            Assert.Equal(names, plan.Layers.Where(l => l.Execution == LayerExecution.Float).Select(l => l.Name));
            new PassPipeline(new QuantizePass(plan)).Run(model, new PassContext());
            Assert.Equal(names, model.Graph.Nodes.Where(n => n.Is("MatMul") && n.Inputs[1]!.Initializer is not null).Select(n => n.Name));
            Assert.All(QuantizeCheck.Run(model, [0.5f, -0.5f, 0.25f, 1, -1, 0]), value => Assert.True(float.IsFinite(value)));
        }
    }

    [Fact]
    public void Scale_and_zero_point_come_from_the_observed_range()
    {
        using Model model = Layers();
        QuantizationPlan plan = Plan(model, Planner());
        ActivationPlan input = plan.Activations.Single(a => a.Value == "T");
        Assert.Equal(new QuantizationGrid(4f / 255, 64, 0, 255), input.Grid); // -1 .. 3: 63.75
        Assert.False(input.AtProducer);
        Assert.True(plan.Activations.Single(a => a.Value == "C").AtProducer);
        LayerPlan linear = plan.Layers.Single(l => l.Kind == LayerKind.Linear);
        Assert.Equal([1f / 127, 2f / 127], linear.WeightScales);
        Assert.Equal(LayerExecution.Integer, linear.Execution);
    }

    [Fact]
    public void Bias_makes_up_for_the_mean_error_of_the_weight()
    {
        using Model model = Layers();
        LayerPlan linear = Plan(model, Planner(new QuantizationOptions { FewestInputs = 1, Estimator = new MinMaxEstimator() }), mean: 10)
            .Layers.Single(l => l.Kind == LayerKind.Linear);

        // W = {1, -2, 0.3, 0.5}: column 0 rounds 0.3 to 38/127, column 1 rounds 0.5 to 32 * 2/127.
        Assert.Equal(7 + (10 * (0.3 - (38.0 / 127))), linear.Bias![0], 1e-6);
        Assert.Equal(8 + (10 * (0.5 - (64.0 / 127))), linear.Bias![1], 1e-6);
    }

    [Fact]
    public void Bias_of_a_grouped_convolution_is_corrected_by_the_channels_of_its_group()
    {
        using Model model = ModelText.Parse("""
            g (float[1,2,1,2] X) => (float[1,2,1,1] Y)
            <float[2,1,1,2] W = {1, 0.3, 0.3, 1}>
            {
                Y = Conv <group = 2> (X, W)
            }
            """, opset: 17);
        QuantizationPlanner planner = Planner(new QuantizationOptions { FewestInputs = 1, Estimator = new MinMaxEstimator() });
        CalibrationStatistics statistics = PlannerStatistics.Of(planner.RequiredStatistics(model), _ => (-1, 1));
        ValueStatistics input = statistics.Find("X")! with { ChannelMean = [1, 100] };
        LayerPlan conv = planner.Plan(model, statistics with { Values = [input, statistics.Find("Y")!] }).Layers.Single();
        double error = 0.3 - (38.0 / 127);
        Assert.Equal(error, conv.Bias![0], 1e-5);
        Assert.Equal(100 * error, conv.Bias![1], 1e-5);
    }

    [Fact]
    public void Excluded_layers_stay_float_and_say_why()
    {
        using Model model = Layers();
        QuantizationPlan plan = Plan(model, Planner(new QuantizationOptions { FewestInputs = 1, Selection = new NodeSelection { NodesToExclude = ["con*"] } }));
        LayerPlan conv = plan.Layers.Single(l => l.Name == "conv");
        Assert.Equal(LayerExecution.Float, conv.Execution);
        Assert.Equal("excluded by 'con*'", conv.Why);
        Assert.DoesNotContain(plan.Activations, a => a.Value == "X");
    }

    [Fact]
    public void Linears_of_few_inputs_stay_float()
    {
        using Model model = Layers();
        LayerPlan linear = Plan(model, Planner(new QuantizationOptions())).Layers.Single(l => l.Kind == LayerKind.Linear);
        Assert.Equal(LayerExecution.Float, linear.Execution);
    }

    [Fact]
    public void Zero_channels_get_scale_one_and_a_warning()
    {
        using Model model = ModelText.Parse("g (float[1,2,2] X) => (float[1,2,2] Y) <float[2,2] W = {0, 1, 0, 2}> { [m] Y = MatMul (X, W) }", opset: 17);
        QuantizationPlan plan = Plan(model, Planner());
        Assert.Equal([1, 2f / 127], plan.Layers[0].WeightScales);
        Assert.Equal("SC3101", Assert.Single(plan.Diagnostics).Id);
    }

    [Fact]
    public void Weights_that_are_not_finite_stay_float_with_a_warning()
    {
        using Model model = ModelText.Parse("g (float[1,2,2] X) => (float[1,2,2] Y) <float[2,2] W = {0, 1, 0, 2}> { [m] Y = MatMul (X, W) }", opset: 17);
        Value weight = model.Graph.Initializers.Single();
        model.Graph.SetInitializer(weight, Tensor.Of([0, 1, float.NaN, 2], 2, 2));
        QuantizationPlan plan = Plan(model, Planner());
        Assert.True(plan.IsEmpty);
        Assert.Empty(plan.Activations);
        Assert.Equal("SC3102", Assert.Single(plan.Diagnostics).Id);
    }

    [Fact]
    public void A_value_that_is_always_zero_gets_scale_one_and_a_warning()
    {
        using Model model = ModelText.Parse("g (float[1,2,2] X) => (float[1,2,2] Y) <float[2,2] W = {3, 1, 0, 2}> { [m] Y = MatMul (X, W) }", opset: 17);
        QuantizationPlanner planner = Planner();
        QuantizationPlan plan = planner.Plan(model, PlannerStatistics.Of(planner.RequiredStatistics(model), _ => (0, 0)));
        Assert.Equal(1, plan.Activations[0].Grid.Scale);
        Assert.Equal("SC3103", Assert.Single(plan.Diagnostics).Id);
    }

    [Fact]
    public void Scale_of_a_convolution_leaves_room_for_its_bias_in_32_bits()
    {
        using Model model = ModelText.Parse("""
            g (float[1,1,1,1] X) => (float[1,2,1,1] Y)
            <float[2,1,1,1] W = {1e-9, 1}, float[2] B = {5, 5}>
            {
                Y = Conv (X, W, B)
            }
            """, opset: 17);
        LayerPlan conv = Plan(model, Planner()).Layers[0];
        Assert.Equal(1f / 127, conv.WeightScales[1]);
        Assert.InRange(5 / (conv.WeightScales[0] * 4.0 / 255), 0.99 * (1 << 30), 1.01 * (1 << 30));
    }

    [Fact]
    public void The_same_inputs_give_the_same_plan()
    {
        using Model model = Layers();
        Assert.Equal(Text(Plan(model, Planner())), Text(Plan(model, Planner())));

        static string Text(QuantizationPlan plan) => string.Join(
            "\n", [.. plan.Activations.Select(a => a.ToString()), .. plan.Layers.Select(l => $"{l} {string.Join(' ', l.WeightScales)} {string.Join(' ', l.Bias ?? [])}")]);
    }

    [Fact]
    public void Quantized_models_and_old_opsets_are_refused()
    {
        using Model quantized = ModelText.Parse(
            "g (float[2] X) => (uint8[2] Y) <float S = {1}, uint8 Z = {0}> { [q] Y = QuantizeLinear (X, S, Z) }", opset: 17);
        SamCompressException e = Assert.Throws<SamCompressException>(() => Planner().RequiredStatistics(quantized));
        Assert.Equal(FailureKind.Unsupported, e.Kind);
        Assert.Contains("quantized already", e.Message, StringComparison.Ordinal);
        Assert.Empty(Planner(new QuantizationOptions { FewestInputs = 1, AllowRequantize = true }).RequiredStatistics(quantized));

        using Model old = ModelText.Parse("g (float[2] X) => (float[2] Y) { Y = Relu (X) }", opset: 12);
        Assert.Contains("opset 12", Assert.Throws<SamCompressException>(() => Planner().RequiredStatistics(old)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Statistics_without_a_needed_value_are_refused()
    {
        using Model model = Layers();
        SamCompressException e = Assert.Throws<SamCompressException>(() => Planner().Plan(model, PlannerStatistics.Of([], _ => (0, 1))));
        Assert.Equal(FailureKind.InputRejected, e.Kind);
    }

    private static Model Layers() => ModelText.Parse("""
        g (float[1,1,2,2] X) => (float[1,2,2,2] Y)
        <float[2,1,1,1] K = {1, 2}, float[2,2] W = {1, -2, 0.3, 0.5}, float[2] B = {7, 8}>
        {
            [conv] C = Conv (X, K)
            T = Transpose <perm = [0, 2, 3, 1]> (C)
            [linear] P = MatMul (T, W)
            Y = Add (B, P)
        }
        """, opset: 17);

    private static QuantizationPlanner Planner(QuantizationOptions? options = null) =>
        new(options ?? new QuantizationOptions { FewestInputs = 1, Estimator = new MinMaxEstimator(), CorrectBias = false }, QuantizeCheck.Target("qdq"));

    private static QuantizationPlan Plan(Model model, QuantizationPlanner planner, double mean = 0)
    {
        return planner.Plan(model, PlannerStatistics.Of(planner.RequiredStatistics(model), _ => (-1, 3), mean));
    }
}
