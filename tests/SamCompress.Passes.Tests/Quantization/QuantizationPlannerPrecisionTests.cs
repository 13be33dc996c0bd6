using System.Globalization;
using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Quantization;

/// <summary>Plans of fewer bits, and plans from samples: a convolution of 4 filters, then a Linear of 64 inputs and 4 outputs.</summary>
public sealed class QuantizationPlannerPrecisionTests
{
    [Theory]
    [InlineData("ort-cpu", 0, 63)]
    [InlineData("qdq", 0, 63)]
    [InlineData("channels", 0, 63)]
    [InlineData("openvino", 0, 63)]
    [InlineData("tensorrt", -31, 31)]
    public void Six_bits_are_64_levels_and_weights_up_to_31(string target, int lowest, int highest)
    {
        foreach (WeightRounding rounding in Enum.GetValues<WeightRounding>())
        {
            QuantizationPlan plan = Plan(new QuantizationOptions { Precision = Precision.W6A6, Rounding = rounding }, target);
            Assert.Contains(plan.Activations, a => a.Value == "T");
            Assert.All(plan.Activations, a => Assert.Equal((lowest, highest), (a.Grid.Lowest, a.Grid.Highest)));
            Assert.All(plan.Layers.SelectMany(l => l.OutputGrids), g => Assert.Equal((lowest, highest), (g.Lowest, g.Highest)));
            Assert.All(plan.Layers, l => Assert.Equal(31, l.WeightHighest));
            LayerPlan linear = plan.Layers.Single(l => l.Kind == LayerKind.Linear);
            Assert.Equal(rounding == WeightRounding.Gptq, linear.WeightCodes is not null);
            Assert.All(linear.WeightCodes?.ToArray() ?? [], c => Assert.InRange(c, (sbyte)-31, (sbyte)31));
        }
    }

    [Theory]
    [InlineData("ort-cpu", LayerForm.IntegerOperator)]
    [InlineData("qdq", LayerForm.Qdq)]
    [InlineData("openvino", LayerForm.Qdq)]
    public void Four_bit_weights_have_blocks_and_activations_stay_float(string target, LayerForm form)
    {
        QuantizationPlan plan = Plan(new QuantizationOptions { Precision = Precision.W4A16, Rounding = WeightRounding.Gptq }, target);
        Assert.Empty(plan.Activations);
        LayerPlan linear = plan.Layers.Single(l => l.Kind == LayerKind.Linear);
        Assert.Equal((LayerExecution.WeightOnly, form, 32, 7, 4 * 2), (linear.Execution, linear.Form, linear.WeightBlock, linear.WeightHighest, linear.WeightScales.Count));
        Assert.All(linear.WeightCodes!.Value.ToArray(), c => Assert.InRange(c, (sbyte)-7, (sbyte)7));

        // Convolutions keep eight bits.
        LayerPlan conv = plan.Layers.Single(l => l.Kind == LayerKind.Conv);
        Assert.Equal((LayerExecution.WeightOnly, 0, 127, 4), (conv.Execution, conv.WeightBlock, conv.WeightHighest, conv.WeightScales.Count));
    }

    [Fact]
    public void Four_bit_weights_whose_operator_rounds_its_input_need_no_quantizer()
    {
        QuantizationPlan plan = Plan(new QuantizationOptions { Precision = Precision.W4A8 }, "ort-cpu");
        Assert.Equal(["X"], plan.Activations.Select(a => a.Value));
        LayerPlan linear = plan.Layers.Single(l => l.Kind == LayerKind.Linear);
        Assert.Equal((LayerForm.IntegerOperator, 32, 7), (linear.Form, linear.WeightBlock, linear.WeightHighest));
    }

    [Theory]
    [InlineData("w4a16", "tensorrt")]
    [InlineData("w4a8", "tensorrt")]
    [InlineData("w4a8", "openvino")]
    public void Targets_without_blocks_of_few_bits_refuse_them(string precision, string target)
    {
        SamCompressException e = Assert.Throws<SamCompressException>(
            () => Plan(new QuantizationOptions { Precision = Precision.All.Single(p => p.Name == precision) }, target));
        Assert.Equal(FailureKind.Unsupported, e.Kind);
        Assert.Equal($"target {target} cannot run {precision}", e.Message);
    }

    [Fact]
    public void Grids_that_were_chosen_already_are_used()
    {
        var chosen = new QuantizationGrid(0.125f, 17, 0, 255);
        QuantizationPlan plan = Plan(new QuantizationOptions(), "ort-cpu", new SearchGuidance { Grids = new Dictionary<string, QuantizationGrid> { ["T"] = chosen } });
        ActivationPlan activation = plan.Activations.Single(a => a.Value == "T");
        Assert.Equal(chosen, activation.Grid);
        Assert.StartsWith("mse, then by the masks: [-2.125, 29.75]", activation.Why, StringComparison.Ordinal);
        Assert.NotEqual(chosen, plan.Activations.Single(a => a.Value == "X").Grid);
    }

    [Fact]
    public void First_candidate_is_the_grid_of_the_plan()
    {
        using Model model = Layers();
        var planner = new QuantizationPlanner(new QuantizationOptions { FewestInputs = 1 }, QuantizeCheck.Target("qdq"));
        CalibrationStatistics statistics = Statistics(planner, model);
        IReadOnlyDictionary<string, IReadOnlyList<QuantizationGrid>> candidates = planner.Candidates(model, statistics, 3);
        QuantizationPlan plan = planner.Plan(model, statistics);
        Assert.Equal(plan.Activations.Select(a => a.Value), candidates.Keys);
        Assert.All(plan.Activations, a => Assert.Equal(a.Grid, candidates[a.Value][0]));
        Assert.All(candidates.Values, c => Assert.Equal(c.Count, c.Distinct().Count()));
    }

    /// <summary>
    /// Input 0 holds -1 to 1, input 1 as much ten times over. The first output reads only input 0, the second only input 1: whose output matters decides
    /// whether input 1 is clipped.
    /// </summary>
    [Fact]
    public void Sensitivities_of_the_outputs_decide_about_the_inputs()
    {
        using Model model = ModelText.Parse("g (float[1,8,2] X) => (float[1,8,2] Y) <float[2,2] W = {1, 0, 0, 1}> { Y = MatMul (X, W) }", 17);
        var planner = new QuantizationPlanner(
            new QuantizationOptions { FewestInputs = 1, Metric = SearchMetric.Hessian, Precision = Precision.W6A6 }, QuantizeCheck.Target("qdq"));
        CalibrationStatistics statistics = Statistics(planner, model, (_, c, u) => (c == 0 ? 1 : 10) * u);
        Assert.InRange(Grid([1, 0]).Max, 0.7, 1.3);
        Assert.InRange(Grid([0, 1]).Max, 7, 13);

        QuantizationGrid Grid(float[] sensitivity) => Assert.Single(planner.Plan(
            model, statistics, new SearchGuidance { Sensitivities = new Dictionary<string, IReadOnlyList<float>> { ["Y"] = sensitivity } }).Activations).Grid;
    }

    /// <summary>Alone and beside three others, so that the work is cut up otherwise.</summary>
    [Theory]
    [InlineData("w8a8")]
    [InlineData("w4a16")]
    public void The_same_inputs_give_the_same_plan_however_busy_the_machine_is(string precision)
    {
        var options = new QuantizationOptions { Precision = Precision.All.Single(p => p.Name == precision), Rounding = WeightRounding.Gptq };
        string alone = Text(Plan(options, "qdq"));
        var beside = new string[4];
        Parallel.For(0, beside.Length, i => beside[i] = Text(Plan(options, "qdq")));
        Assert.All(beside, text => Assert.Equal(alone, text));

        static string Text(QuantizationPlan plan) => string.Join('\n', [.. plan.Activations.Select(a => a.ToString()), .. plan.Layers.Select(Line)]);

        static string Line(LayerPlan layer) => string.Create(
            CultureInfo.InvariantCulture,
            $"{layer.Name} {string.Join(' ', layer.WeightScales)} | {string.Join(' ', layer.WeightCodes?.ToArray() ?? [])} | {string.Join(' ', layer.Bias ?? [])}");
    }

    private static QuantizationPlan Plan(QuantizationOptions options, string target, SearchGuidance? guidance = null)
    {
        using Model model = Layers();
        var planner = new QuantizationPlanner(options with { FewestInputs = 1 }, QuantizeCheck.Target(target));
        return planner.Plan(model, Statistics(planner, model), guidance);
    }

    /// <summary>Rows of seeded numbers from -1 to 1, or what is made of them; neighbours have something in common.</summary>
    private static CalibrationStatistics Statistics(QuantizationPlanner planner, Model model, Func<int, int, float, float>? value = null)
    {
        IReadOnlyList<ObservedValue> observed = planner.RequiredStatistics(model);
        CalibrationStatistics ranges = PlannerStatistics.Of(observed, o => value is null ? (-1, 1) : (-10, 10));
        return ranges with { Values = [.. ranges.Values.Select((v, i) => v with { Samples = Samples(observed[i], value) })] };
    }

    private static ActivationSamples Samples(ObservedValue observed, Func<int, int, float, float>? value)
    {
        const int Rows = 200;
        int channels = observed.Channels;
        var random = new Random(channels);
        var rows = new float[Rows * channels];
        for (int r = 0; r < Rows; r++)
        {
            float common = random.NextSingle() - 0.5f;
            for (int c = 0; c < channels; c++)
            {
                float u = value is null ? common + random.NextSingle() - 0.5f : (2 * random.NextSingle()) - 1;
                rows[(r * channels) + c] = value?.Invoke(r, c, u) ?? u;
            }
        }

        bool moments = observed.Detail == ObservationDetail.SecondMoments;
        var gram = new float[channels * channels];
        var mean = new float[channels];
        foreach (float[] row in rows.Chunk(channels))
        {
            for (int k = 0; k < channels; k++)
            {
                mean[k] += row[k] / Rows;
                for (int l = 0; l < channels; l++)
                    gram[(k * channels) + l] += row[k] * row[l] / Rows;
            }
        }

        float[] meanSquare = [.. Enumerable.Range(0, channels).Select(k => gram[k * (channels + 1)])];
        return new ActivationSamples(channels, rows, meanSquare, moments ? gram : [], moments ? mean : []);
    }

    private static Model Layers()
    {
        Model model = ModelText.Parse("""
            g (float[1,4,2,64] X) => (float[1,4,2,4] Y)
            <float[4,4,1,1] K = {1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0.1, 0, 0, 4}, float[1] W = {0}, float[4] B = {1, 2, 3, 4}>
            {
                C = Conv (X, K)
                T = Relu (C)
                P = MatMul (T, W)
                Y = Add (P, B)
            }
            """, 21);
        var random = new Random(6);
        float[] weight = [.. Enumerable.Range(0, 64 * 4).Select(_ => (2 * random.NextSingle()) - 1)];
        Value stored = model.Graph.Initializers.Single(v => v.Name == "W");
        stored.Shape = Shape.Of(64, 4);
        model.Graph.SetInitializer(stored, Tensor.Of(weight, 64, 4));
        IR.Analysis.ShapeInference.Infer(model);
        return model;
    }
}
