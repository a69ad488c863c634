/** The coordinator as it is shipped, in a process whose every boundary can be made to fail. */
import './boundaries.ts'
import '../../coordinator/main.ts'
