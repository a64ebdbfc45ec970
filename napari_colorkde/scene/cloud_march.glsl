//% setup
    // Rays parallel to a face would divide by zero below.
    vec3 ray = view_ray + vec3(lessThan(abs(view_ray), vec3(1e-7))) * 2e-7;

    // This fragment lies on a far face of the box. Going back along the ray, each pair of faces is
    // met at these distances (negative, in voxels); the ray is inside once it is past the nearest of all.
    vec3 to_low = (u_box_low - v_position) / ray;
    vec3 to_high = (u_box_high - v_position) / ray;
    vec3 entries = min(to_low, to_high);
    float distance = max(max(entries.x, entries.y), entries.z);
    // Inside the box the ray starts at the eye.
    distance = max(distance, dot(nearpos - v_position, view_ray));

    vec3 front = v_position + view_ray * distance;
    int nsteps = int(-distance / u_relative_step_size + 0.5);
    // Fragments on near faces have no way to go.
    if (nsteps < 1)
        discard;
    float f_nsteps = float(nsteps);

    vec3 step = ((v_position - front) / u_shape) / f_nsteps;
    // Every stretch is represented by its middle, moved by a fraction that differs from pixel to pixel
    // as steps get coarse: noise is easier on the eye than rings.
    float shift = 0.5 + u_jitter * (rand(gl_FragCoord.xy) - 0.5);
    vec3 start_loc = (front + 0.5) / u_shape + shift * step;
    frag_depth_point = front;

//% cloud before
    float stretch = length(step * u_shape * u_voxel_size);
    vec3 light = vec3(0.0);       // what has reached the eye
    float passing = 1.0;          // the share of light from further behind that still will

//% cloud loop
    if (val > u_floor) {
        float hidden = opacity(val, stretch);
        light += passing * hidden * color_at(loc, u_shape);
        passing *= 1.0 - hidden;
        if (passing < 0.01)
            iter = nsteps;        // nothing behind can be seen
    }

//% cloud after
    // Premultiplied: blended with (one, one minus source alpha).
    gl_FragColor = vec4(light, 1.0 - passing);
