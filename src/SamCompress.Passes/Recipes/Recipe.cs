using System.Text.Json;
using System.Text.Json.Serialization;
using SamCompress.Passes.Targets;

namespace SamCompress.Passes.Recipes;

/// <summary>How a recipe quantizes. What is null is chosen as <c>quantize</c> chooses it.</summary>
public sealed record QuantizeStep
{
    /// <summary>The methods by which scales are chosen.</summary>
    public static IReadOnlyList<string> CalibrationMethods { get; } = ["minmax", "percentile", "mse", "cosine", "kl", "hessian", "entropy"];

    public string Precision { get; init; } = "w8a8";

    public string Target { get; init; } = TargetDescription.Default;

    public string CalibrationMethod { get; init; } = "mse";

    /// <summary>Null to leave the mask decoder as it is.</summary>
    public string? DecoderPrecision { get; init; }

    /// <summary>The names or patterns of layers that stay float.</summary>
    public IReadOnlyList<string> NodesToExclude { get; init; } = [];

    public bool Equalize { get; init; } = true;

    internal string? Contradiction =>
        Unknown("precision", Precision) ?? (DecoderPrecision is null ? null : Unknown("decoderPrecision", DecoderPrecision))
        ?? (CalibrationMethods.Contains(CalibrationMethod) ? null : $"calibrationMethod '{CalibrationMethod}' is none of {string.Join(", ", CalibrationMethods)}");

    private static string? Unknown(string field, string value) =>
        Quantization.Precision.All.Any(p => p.Name == value) ? null : $"{field} '{value}' is none of {string.Join(", ", Quantization.Precision.All.Select(p => p.Name))}";
}

/// <summary>What the compressed model must keep, against the model that the recipe started from.</summary>
public sealed record RecipeGates
{
    public double? MinMiou { get; init; }

    public double? MaxDrop { get; init; }

    internal string? Contradiction => MinMiou is < 0 or > 1 or double.NaN || MaxDrop is < 0 or > 1 or double.NaN ? "gates are numbers from 0 to 1" : null;
}

/// <summary>What to do to a model: clean up, slim, rewrite in order, quantize. Data, read from a JSON file; see docs/recipes.md.</summary>
public sealed record Recipe
{
    /// <summary>Where the JSON Schema of recipes lies, for editors; nothing is read from there.</summary>
    [JsonPropertyName("$schema")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Schema { get; init; }

    /// <summary>Also part of the name of the file that is written, so letters, digits, <c>-</c>, <c>_</c> and <c>.</c> only.</summary>
    public required string Name { get; init; }

    public required string Description { get; init; }

    /// <summary>The first thing that is done; null where nothing is pruned.</summary>
    public SlimStep? Slim { get; init; }

    /// <summary>One after the other; blocks of each are counted in what the one before it left.</summary>
    public IReadOnlyList<RewriteStep> Rewrites { get; init; } = [];

    public required QuantizeStep Quantize { get; init; }

    public RecipeGates Gates { get; init; } = new();

    /// <summary>The names of the recipes that are built in.</summary>
    public static IReadOnlyList<string> BuiltIn => Shipped.Names;

    /// <summary>Loads a built-in recipe by name, or one from a file ending in .json.</summary>
    /// <exception cref="SamCompressException">Usage: neither is there, or the file is no recipe; the message says where.</exception>
    public static Recipe Load(string nameOrPath) => Shipped.Load<Recipe>(nameOrPath, r => r.Validate());

    private const int LongestName = 64;

    private static readonly ShippedData Shipped = new("recipes/", "recipe", "docs/recipes.md");

    /// <exception cref="JsonException">The values contradict each other.</exception>
    internal void Validate()
    {
        if (Name.Length is 0 or > LongestName || !Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            throw new JsonException($"a name is 1 to {LongestName} letters, digits, '-', '_' and '.', because files are called by it", "$.name", null, null);
        if (Slim?.Contradiction() is { } slim)
            throw new JsonException(slim, "$.slim", null, null);
        for (int i = 0; i < Rewrites.Count; i++)
        {
            string? wrong = Rewrites[i].Contradiction()
                ?? (Rewrites[i].Blocks.IsAuto && Rewrites[i].MinMiou is null && Gates is { MinMiou: null, MaxDrop: null } ? "the blocks \"auto\" need minMiou, or a gate of the recipe" : null);
            if (wrong is not null)
                throw new JsonException(wrong, $"$.rewrites[{i}]", null, null);
        }

        if (Quantize.Contradiction is { } quantize)
            throw new JsonException(quantize, "$.quantize", null, null);
        if (Gates.Contradiction is { } gates)
            throw new JsonException(gates, "$.gates", null, null);
    }
}
