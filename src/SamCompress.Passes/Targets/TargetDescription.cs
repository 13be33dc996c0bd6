using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using SamCompress.IR;
using SamCompress.Passes.Quantization;

namespace SamCompress.Passes.Targets;

/// <summary>How a target runs a kind of layer.</summary>
/// <param name="Execution">The best that it can do.</param>
/// <param name="QuantizedOutput">Whether its integer kernel also wants its output quantized.</param>
/// <param name="Why">Ends in the plan.</param>
public sealed record LayerRule(LayerExecution Execution, bool QuantizedOutput, string Why);

/// <summary>What a runtime executes well: data, read from a JSON file.</summary>
public sealed record TargetDescription
{
    public const string Default = "ort-cpu";

    public required string Name { get; init; }

    public required string Description { get; init; }

    /// <summary>Type of quantized activations: uint8 or int8.</summary>
    public required ElementType ActivationType { get; init; }

    /// <summary>Whether zero points of activations must be 0.</summary>
    public required bool SymmetricActivations { get; init; }

    /// <summary>Quantized weights lie between its negative and itself.</summary>
    public required int WeightHighest { get; init; }

    public required LayerRule Linear { get; init; }

    public required LayerRule Conv { get; init; }

    public required LayerRule ConvTranspose { get; init; }

    /// <summary>Whether a fusion of MatMul and Add to a float Gemm must be kept from happening, by a bias of rank 3.</summary>
    public required bool FusesLinearToGemm { get; init; }

    /// <summary>The names of the targets that are built in.</summary>
    public static IReadOnlyList<string> BuiltIn { get; } =
        [.. typeof(TargetDescription).Assembly.GetManifestResourceNames().Where(n => n.StartsWith(ResourcePrefix, StringComparison.Ordinal))
            .Select(n => Path.GetFileNameWithoutExtension(n[ResourcePrefix.Length..])).Order(StringComparer.Ordinal)];

    private const string ResourcePrefix = "targets/";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    public LayerRule Rule(LayerKind kind) => kind switch
    {
        LayerKind.Linear => Linear,
        LayerKind.Conv => Conv,
        _ => ConvTranspose,
    };

    /// <summary>Loads a built-in target by name, or a description from a file ending in .json.</summary>
    /// <exception cref="SamCompressException">Neither is there, or the file is no description.</exception>
    public static TargetDescription Load(string nameOrPath)
    {
        ArgumentNullException.ThrowIfNull(nameOrPath);
        try
        {
            using Stream? stream = nameOrPath.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
                ? File.OpenRead(nameOrPath)
                : Assembly.GetExecutingAssembly().GetManifestResourceStream($"{ResourcePrefix}{nameOrPath}.json");
            if (stream is null)
                throw new SamCompressException(FailureKind.Usage, $"no target '{nameOrPath}'", $"one of {string.Join(", ", BuiltIn)}, or a .json file");
            TargetDescription target = JsonSerializer.Deserialize<TargetDescription>(stream, Json) ?? throw new JsonException("the file holds null");
            if (target.ActivationType is not (ElementType.UInt8 or ElementType.Int8) || target.WeightHighest is < 1 or > 127)
                throw new JsonException("activationType must be uInt8 or int8, weightHighest from 1 to 127");
            return target;
        }
        catch (JsonException e)
        {
            throw new SamCompressException(FailureKind.Usage, $"target {nameOrPath}: {e.Message.ReplaceLineEndings(" ")}", null, e) { Location = nameOrPath };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SamCompressException(FailureKind.Usage, $"target {nameOrPath}: cannot be read", null, e) { Location = nameOrPath };
        }
    }
}
