using Microsoft.ML.OnnxRuntime;
using SamCompress.IR;

namespace SamCompress.Runtime.Inference;

/// <summary>An input or output of a model.</summary>
/// <param name="ElementType">Undefined when it is no tensor.</param>
/// <param name="Shape">Null when the rank is not known.</param>
public sealed record SessionValue(string Name, ElementType ElementType, Shape? Shape);

/// <summary>
/// A model opened in ONNX Runtime, ready to run. The one place, with what lies in its folder, that knows ONNX Runtime.
/// Runs may overlap; closing must wait for them.
/// </summary>
public sealed class OnnxSession : IDisposable
{
    /// <summary>Smaller initializers are serialized with the graph.</summary>
    private const long DetachedBytes = 1024;

    private readonly InferenceSession _session;
    private readonly IReadOnlyList<IDisposable> _weights;
    private readonly IReadOnlyList<nint> _weightValues;
    private readonly Dictionary<string, SessionValue> _inputs;
    private readonly ExecutionDevice _device;

    /// <summary>The model behind the weights, when the session itself has read it.</summary>
    private Model? _model;
    private bool _disposed;

    private OnnxSession(string name, InferenceSession session, SessionSettings? settings, IReadOnlyList<IDisposable> weights, IReadOnlyList<nint> weightValues)
    {
        Name = name;
        _device = settings?.Device ?? ExecutionDevice.Cpu;
        _session = session;
        _weights = weights;
        _weightValues = weightValues;
        Inputs = [.. session.InputNames.Select(n => Describe(n, session.InputMetadata[n]))];
        Outputs = [.. session.OutputNames.Select(n => Describe(n, session.OutputMetadata[n]))];
        _inputs = Inputs.ToDictionary(i => i.Name, StringComparer.Ordinal);
    }

    /// <summary>For messages: the file, or the name of the graph.</summary>
    public string Name { get; }

    public IReadOnlyList<SessionValue> Inputs { get; }

    public IReadOnlyList<SessionValue> Outputs { get; }

    /// <summary>The version of ONNX Runtime's native library.</summary>
    /// <exception cref="SamCompressException">The library is missing or too old.</exception>
    public static string RuntimeVersion => OnnxRuntimeLibrary.Version;

    /// <summary>The execution providers that the native library was built with, by ONNX Runtime's names.</summary>
    /// <exception cref="SamCompressException">The library is missing or too old.</exception>
    public static IReadOnlyList<string> AvailableProviders => OnnxRuntimeLibrary.Providers;

    /// <summary>
    /// Opens a model file; external data is found beside it. ONNX Runtime reads no file over 2 GiB: such a model is handed over in memory.
    /// </summary>
    /// <exception cref="SamCompressException">ONNX Runtime refuses the model, or the device is not there.</exception>
    public static OnnxSession Open(string path, SessionSettings? settings = null)
    {
        if (!File.Exists(path))
            throw new SamCompressException(FailureKind.InputRejected, $"{path}: not found") { Location = path };
        if (!InputFile.IsRegular(path))
            throw new SamCompressException(FailureKind.InputRejected, $"{path}: is not a regular file") { Location = path };
        if (new FileInfo(path).Length > int.MaxValue)
            return OpenLarge(path, settings);
        using SessionOptions options = Options(settings ?? SessionSettings.Default);
        try
        {
            return new OnnxSession(path, new InferenceSession(path, options), settings, [], []);
        }
        catch (OnnxRuntimeException e)
        {
            throw OnnxRuntimeLibrary.Failure($"{path}: ONNX Runtime cannot open the model", e);
        }
    }

    private static OnnxSession OpenLarge(string path, SessionSettings? settings)
    {
        Model model = OnnxReader.Read(path, new ReadOptions { Limits = (settings ?? SessionSettings.Default).Limits });
        try
        {
            OnnxSession session = Open(model, settings);
            session._model = model;
            return session;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Opens a model as it is in memory. No file is written: the graph is handed over without its big initializers, and those
    /// at the address where they are mapped. The model must not be disposed of before the session; later edits do not reach it.
    /// </summary>
    /// <inheritdoc cref="Open(string, SessionSettings?)" path="/exception"/>
    public static OnnxSession Open(Model model, SessionSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        string name = model.Path ?? model.Graph.Name;
        byte[] shell = OnnxWriter.SerializeDetached(model, DetachedBytes, out IReadOnlyList<Value> detached);
        var leases = new List<TensorLease>();
        IReadOnlyList<nint> values = [];
        using SessionOptions options = Options(settings ?? SessionSettings.Default);
        try
        {
            var buffers = new List<(string, ElementType, long[], nint, long)>(detached.Count);
            // ONNX Runtime drops an initializer that nothing reads before it takes external ones over, and then complains of it.
            foreach (Value value in detached.Where(v => v.IsUsed))
            {
                Tensor tensor = value.Initializer!;
                leases.Add(RuntimeTensor.OpenPinned(tensor, out nint address));
                buffers.Add((value.Name, tensor.ElementType, [.. tensor.Dimensions], address, tensor.ByteLength));
            }

            if (buffers.Count > 0)
                values = OnnxRuntimeLibrary.AddExternalInitializers(options, buffers);
            var session = new InferenceSession(shell, options);
            // ONNX Runtime has packed most weights into buffers of its own by now.
            foreach (TensorLease lease in leases)
                lease.ReleasePages();
            return new OnnxSession(name, session, settings, leases, values);
        }
        catch (Exception e)
        {
            OnnxRuntimeLibrary.Release(values);
            foreach (TensorLease lease in leases)
                lease.Dispose();
            if (e is OnnxRuntimeException)
                throw OnnxRuntimeLibrary.Failure($"{name}: ONNX Runtime cannot open the model", e);
            throw;
        }
    }

    /// <summary>Runs the model.</summary>
    /// <param name="inputs">By name; every input of the model must be there.</param>
    /// <param name="outputs">The names of the outputs to compute; all of them when null.</param>
    /// <returns>The outputs, which the caller disposes of.</returns>
    /// <exception cref="SamCompressException">ONNX Runtime failed.</exception>
    /// <exception cref="ArgumentException">A name that the model does not have, or a missing input.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; ONNX Runtime stops after the operator at work.</exception>
    public RuntimeTensors Run(
        IReadOnlyDictionary<string, RuntimeTensor> inputs,
        IReadOnlyCollection<string>? outputs = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        CheckNames(inputs.Keys, outputs);
        string[] wanted = outputs is null ? [.. _session.OutputNames] : [.. outputs];
        string[] given = [.. inputs.Keys];
        OrtValue[] values = [.. given.Select(n => inputs[n].Value)];
        return Execute(wanted, options => _session.Run(options, given, values, wanted), cancellationToken);
    }

    /// <summary>Runs the model and leaves some of its outputs in the memory of the device, where another run takes them as inputs without a copy.</summary>
    /// <param name="resident">The names of these outputs. On a device with memory of its own, only <see cref="DeviceReader"/> reads their elements.</param>
    /// <returns>All outputs.</returns>
    /// <inheritdoc cref="Run"/>
    public RuntimeTensors RunResident(
        IReadOnlyDictionary<string, RuntimeTensor> inputs, IReadOnlySet<string> resident, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(resident);
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        CheckNames(inputs.Keys, resident);
        using OrtMemoryInfo device = _device == ExecutionDevice.Cuda
            ? new OrtMemoryInfo(OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default)
            : new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);
        using OrtIoBinding binding = _session.CreateIoBinding();
        foreach ((string name, RuntimeTensor tensor) in inputs)
            binding.BindInput(name, tensor.Value);
        string[] wanted = [.. _session.OutputNames];
        foreach (string name in wanted)
            binding.BindOutputToDevice(name, resident.Contains(name) ? device : OrtMemoryInfo.DefaultInstance);
        return Execute(wanted, options => _session.RunWithBoundResults(options, binding), cancellationToken);
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _session.Dispose();
        OnnxRuntimeLibrary.Release(_weightValues);
        foreach (IDisposable weight in _weights)
            weight.Dispose();
        _model?.Dispose();
    }

    private RuntimeTensors Execute(string[] names, Func<RunOptions, IReadOnlyCollection<OrtValue>> run, CancellationToken cancellationToken)
    {
        using var options = new RunOptions();
        using CancellationTokenRegistration registration = cancellationToken.Register(() => options.Terminate = true);
        try
        {
            IReadOnlyCollection<OrtValue> results = run(options);
            return new RuntimeTensors(names.Zip(results).ToDictionary(r => r.First, r => RuntimeTensor.Take(r.Second), StringComparer.Ordinal));
        }
        catch (OnnxRuntimeException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw OnnxRuntimeLibrary.Failure($"{Name}: ONNX Runtime failed while the model ran", e);
        }
    }

    private void CheckNames(IEnumerable<string> given, IReadOnlyCollection<string>? outputs)
    {
        int known = 0;
        foreach (string name in given)
        {
            if (_inputs.ContainsKey(name))
                known++;
            else if (!_session.OverridableInitializerMetadata.ContainsKey(name))
                throw new ArgumentException($"{Name} has no input '{name}'; it has {string.Join(", ", Inputs.Select(i => i.Name))}");
        }

        if (known < Inputs.Count)
            throw new ArgumentException($"{Name} needs the inputs {string.Join(", ", Inputs.Select(i => i.Name))}");
        if (outputs?.FirstOrDefault(o => !_session.OutputMetadata.ContainsKey(o)) is { } unknown)
            throw new ArgumentException($"{Name} has no output '{unknown}'; it has {string.Join(", ", Outputs.Select(o => o.Name))}");
    }

    private static SessionOptions Options(SessionSettings settings)
    {
        _ = OnnxRuntimeLibrary.Require();
        var options = new SessionOptions
        {
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            GraphOptimizationLevel = settings.Optimization switch
            {
                GraphOptimization.None => GraphOptimizationLevel.ORT_DISABLE_ALL,
                GraphOptimization.Basic => GraphOptimizationLevel.ORT_ENABLE_BASIC,
                GraphOptimization.Extended => GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
                _ => GraphOptimizationLevel.ORT_ENABLE_ALL,
            },
            EnableCpuMemArena = settings.UseMemoryArena,
            EnableMemoryPattern = settings.UseMemoryPattern,
            IntraOpNumThreads = settings.Threads,
        };
        try
        {
            if (settings.OptimizedModelPath is { } optimized)
            {
                options.OptimizedModelFilePath = optimized;
                options.AddSessionConfigEntry("session.optimized_model_external_initializers_file_name", Path.GetFileName(optimized) + ".data");
                options.AddSessionConfigEntry("session.optimized_model_external_initializers_min_size_in_bytes", "1024");
            }

            foreach ((string key, string value) in settings.Entries)
                options.AddSessionConfigEntry(key, value);
            if (settings.UseExtensions)
                options.RegisterOrtExtensions();
            if (settings.Device == ExecutionDevice.Cuda)
                AddCuda(options);
            return options;
        }
        catch (OnnxRuntimeException e)
        {
            options.Dispose();
            throw OnnxRuntimeLibrary.Failure("the session cannot be set up", e);
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    private static void AddCuda(SessionOptions options)
    {
        if (!OnnxRuntimeLibrary.Providers.Contains("CUDAExecutionProvider"))
        {
            throw new SamCompressException(
                FailureKind.Unsupported,
                $"device cuda: ONNX Runtime {OnnxRuntimeLibrary.Version} was installed without its CUDA provider",
                "use --device cpu, or install the GPU build of ONNX Runtime");
        }

        try
        {
            using var cuda = new OrtCUDAProviderOptions();
            options.AppendExecutionProvider_CUDA(cuda);
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException)
        {
            throw new SamCompressException(
                FailureKind.Runtime,
                $"device cuda: {OnnxRuntimeLibrary.Clean(e.Message)}",
                "use --device cpu, or check that a GPU, its driver and the CUDA libraries are there",
                e);
        }
    }

    private static SessionValue Describe(string name, NodeMetadata metadata)
    {
        if (!metadata.IsTensor)
            return new SessionValue(name, ElementType.Undefined, null);
        var dimensions = new Dimension[metadata.Dimensions.Length];
        for (int i = 0; i < dimensions.Length; i++)
        {
            string parameter = metadata.SymbolicDimensions[i];
            dimensions[i] = metadata.Dimensions[i] >= 0 ? Dimension.Of(metadata.Dimensions[i])
                : parameter.Length > 0 ? Dimension.Of(parameter)
                : Dimension.Unknown;
        }

        return new SessionValue(name, (ElementType)metadata.ElementDataType, new Shape(dimensions));
    }
}
